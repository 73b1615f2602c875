"""Made once, whole or not at all, whoever else is making it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from setup.cached import digest, made_once
from setup.places import cache_home


def test_two_set_ups_at_once_make_it_once() -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.05)
        (folder / "whole").touch()

    threads = [threading.Thread(target=made_once, args=("part", "key", make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert (cache_home() / "part" / "key" / "whole").exists()


def test_a_failed_build_leaves_nothing_and_is_tried_again() -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        made_once("part", "key", fail)
    assert [f.name for f in (cache_home() / "part").iterdir()] == ["key.lock"]
    assert made_once("part", "key", lambda folder: (folder / "whole").touch()).is_dir()


def test_what_a_killed_build_left_is_removed() -> None:
    leftover = cache_home() / "part" / ".making-key-abc"
    leftover.mkdir(parents=True)
    made_once("part", "key", lambda folder: None)
    assert not leftover.exists()


def test_the_key_changes_with_every_input(tmp_path: Path) -> None:
    file = tmp_path / "go.sum"
    file.write_text("a")
    keys = {digest(["v1"], [file]), digest(["v2"], [file]), digest(["v1"])}
    file.write_text("b")
    assert len(keys | {digest(["v1"], [file])}) == 4
