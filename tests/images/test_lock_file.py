"""The lock as a file: its mode, its order, and what a hand may have done to it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from provisioning.images.lock import Lock, Locked, LockError, load_lock, write_lock

DIGEST = f"sha256:{'0f' * 32}"
WEB, API = Locked(repository="team/web", digest=DIGEST, source="abc"), Locked(repository="team/api", digest=DIGEST)


def test_a_lock_is_readable_for_everybody_and_sorted_by_key(tmp_path: Path) -> None:
    write_lock(tmp_path / "lock.yaml", Lock(registry="r", images={"web": WEB, "api": API}))
    assert (tmp_path / "lock.yaml").stat().st_mode & 0o777 == 0o644
    assert list(yaml.safe_load((tmp_path / "lock.yaml").read_text())["images"]) == ["api", "web"]


def test_what_is_empty_is_not_written(tmp_path: Path) -> None:
    write_lock(tmp_path / "lock.yaml", Lock(registry="r", images={"api": API}))
    content = yaml.safe_load((tmp_path / "lock.yaml").read_text())
    assert content == {"registry": "r", "images": {"api": {"repository": "team/api", "digest": DIGEST}}}


def test_a_changed_lock_replaces_the_old_one_whole(tmp_path: Path) -> None:
    write_lock(tmp_path / "lock.yaml", Lock(registry="r", images={"web": WEB}))
    before = (tmp_path / "lock.yaml").stat().st_ino
    write_lock(tmp_path / "lock.yaml", Lock(registry="r", images={"api": API}))
    assert (tmp_path / "lock.yaml").stat().st_ino != before
    assert list(load_lock(tmp_path / "lock.yaml").images) == ["api"]
    assert [file.name for file in tmp_path.iterdir()] == ["lock.yaml"]


def test_a_lock_without_images_is_a_lock(tmp_path: Path) -> None:
    (tmp_path / "lock.yaml").write_text("registry: r\nimages:\n")
    assert load_lock(tmp_path / "lock.yaml").images == {}


def test_an_empty_lock_says_that_it_knows_none() -> None:
    with pytest.raises(LockError, match=r"lock.yaml: images.web: not there; known are none; `make images` locks"):
        Lock(registry="r", path="lock.yaml").reference("web")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "lock.yaml").write_text("registry: r\nextra: 1\nimages: {web: {digest: x}, api: 5}\n")
    with pytest.raises(LockError) as raised:
        load_lock(tmp_path / "lock.yaml")
    said = str(raised.value)
    assert all(part in said for part in ("extra: unknown", "images.web.repository", "images.web.digest", "images.api:"))
    assert said.count(f"{tmp_path}/lock.yaml: ") == 4


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lock.yaml").write_bytes(b"registry: \xff\xfe")
    with pytest.raises(LockError, match="cannot be read as YAML"):
        load_lock(tmp_path / "lock.yaml")


def test_a_date_that_is_none_is_refused_as_yaml(tmp_path: Path) -> None:
    (tmp_path / "lock.yaml").write_text("registry: 2001-99-99\n")
    with pytest.raises(LockError):
        load_lock(tmp_path / "lock.yaml")


@pytest.mark.parametrize("text", ["registry: r\n1: x\nfoo: y\n", "registry: r\nimages: {web: {1: x, foo: y}}\n"])
def test_keys_of_several_types_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock.yaml").write_text(text)
    with pytest.raises(LockError, match="unknown"):
        load_lock(tmp_path / "lock.yaml")
