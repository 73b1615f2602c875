"""`make review`: each stack in a session of its own, values through pipes alone, one comment of all."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from setup import review as module
from setup.report import SetupError
from setup.review import review
from setup.session import Session
from setup.sites import read_site
from tests.setup.checkout import checkout

PREVIEW = '{"steps": [{"op": "create", "urn": "urn:pulumi:a::p::t:m:T::%s"}], "changeSummary": {"create": 1}}'


class World:
    """Takes the place of pulumi and of the other commands; digests and comment are real."""

    def __init__(self) -> None:
        self.previews: dict[str, tuple[int, str, str]] = {}
        self.chosen = ""
        self.lines: list[list[str]] = []
        self._run = subprocess.run

    def run(self, line: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.lines.append(list(line))
        if line[0] == "pulumi":
            code, out, err = self.previews.get(line[-1], (0, PREVIEW % line[-1], ""))
            return subprocess.CompletedProcess(line, code, out, err)
        if "delivery.review.affected" in line:
            return subprocess.CompletedProcess(line, 0 if self.chosen else 1, self.chosen)
        return self._run(line, **options)

    @property
    def previewed(self) -> list[str]:
        return [line[-1] for line in self.lines if line[0] == "pulumi"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found, folder = World(), checkout(tmp_path)

    def session(stack: str, site: str) -> Session:
        if stack == "broken":
            raise SetupError("STACK=broken: a sentence.")
        variables: dict[str, str | None] = {"HYPERCOMPOSE_GIT_PASSWORD": "canary of git"}
        return Session(stack=stack, site=read_site(site, folder), parts=(), variables=variables)

    monkeypatch.setattr(module, "open_session", session)
    monkeypatch.setattr(module, "site_of", lambda stack: "main")
    monkeypatch.setattr(module, "usable", lambda session: None if session.stack == "new" else session)
    monkeypatch.setattr(module, "init", lambda session: 0)
    monkeypatch.setattr("subprocess.run", found.run)
    return found


def test_every_stack_is_previewed_once_and_told(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    assert review(["--stacks", "one two one new"]) == 0
    out, err = capfd.readouterr()
    assert world.previewed == ["one", "two", "new"]
    assert all(f"### `{stack}` on site `main`" in out for stack in ("one", "two", "new"))
    assert "── two" in err


def test_what_fails_is_told_and_the_others_go_on(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.previews["two"] = (255, "", "error: no plugin, canary of git\n")
    assert review(["--stacks", "one broken two three"]) == 1
    out, err = capfd.readouterr()
    assert world.previewed == ["one", "two", "three"]
    assert out.count("**The preview failed**") == 2
    assert "STACK=broken: a sentence." in out
    assert "error: no plugin, ***" in out
    assert "canary" not in out + err


def test_a_stack_that_cannot_be_made_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "init", lambda session: 255)
    assert review(["--stacks", "new one"]) == 1
    assert "could not be made" in capfd.readouterr().out
    assert world.previewed == ["one"]


def test_a_change_tells_its_stacks(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.chosen = json.dumps({"stacks": ["one"], "left_out": ["two", "three"], "removed": ["old"]})
    assert review(["--base", "origin/main", "--limit", "1"]) == 0
    out = capfd.readouterr().out
    assert world.previewed == ["one"]
    assert "not previewed (2): `three`, `two`" in out
    assert "**Settings removed** (1): `old`" in out
    assert "--base=origin/main" in world.lines[0]


def test_a_change_that_cannot_be_read_ends_it(world: World) -> None:
    with pytest.raises(SystemExit):
        review(["--base", "nowhere"])


def test_no_stack_is_a_question_back(world: World) -> None:
    with pytest.raises(SetupError, match="STACKS: name them"):
        review(["--stacks", " "])


def test_no_value_of_a_preview_touches_the_disk(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder of the digests is kept for once, and looked into."""
    seen: list[str] = []

    class Kept:
        def __init__(self, **_: Any) -> None:
            self.folder = tmp_path / "kept"

        def __enter__(self) -> str:
            self.folder.mkdir()
            return str(self.folder)

        def __exit__(self, *_: object) -> None:
            seen.extend(file.read_text() for file in self.folder.iterdir())

    monkeypatch.setattr("tempfile.TemporaryDirectory", Kept)
    step = json.loads(PREVIEW % "x")["steps"][0] | {"newState": {"inputs": {"password": "canary"}, "custom": True}}
    world.previews["one"] = (0, json.dumps({"steps": [step]}), "")
    review(["--stacks", "one"])
    assert len(seen) == 1
    assert "canary" not in seen[0]
