"""The environment of a session: our parts in front, an earlier set-up's gone, nothing that overrides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup.parts import Origin, Part
from setup.places import STANDINS, cache_home, path_without_ours
from setup.session import Session, search_path
from setup.sites import Site

SITE = Site(
    id="lab", file=Path("lab.yaml"), folder=Path(".lab"), backend="file:///s", passphrase="lab", credentials=None
)


def part(origin: Origin, folder: str | None) -> Part:
    return Part(name="x", origin=origin, version="1", folder=Path(folder) if folder else None)


def test_what_was_found_on_path_is_not_moved() -> None:
    parts = (part(Origin.OFFICIAL, "/opt/pulumi"), part(Origin.BUILD, "/b"), part(Origin.RELEASE, None))
    assert search_path(parts, {"PATH": "/usr/bin:/opt/pulumi"}) == "/b:/usr/bin:/opt/pulumi"


def test_set_up_twice_gives_the_same_path() -> None:
    parts = (part(Origin.BUILD, str(cache_home() / "engine" / "new")), part(Origin.STANDIN, str(STANDINS / "command")))
    once = search_path(parts, {"PATH": f"{cache_home()}/engine/old:/usr/bin:/usr/bin:"})
    assert search_path(parts, {"PATH": once}) == once
    assert path_without_ours({"PATH": once}) == ["/usr/bin"]


def test_what_would_override_it_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
    monkeypatch.setenv("KEPT", "1")
    session = Session(stack="lab", site=SITE, parts=(), variables={"PULUMI_CONFIG_PASSPHRASE": None, "NEW": "2"})
    env = session.environment()
    assert "PULUMI_CONFIG_PASSPHRASE" not in env
    assert (env["KEPT"], env["NEW"]) == ("1", "2")


def test_credentials_are_those_of_now(tmp_path: Path) -> None:
    file = tmp_path / "credentials.env"
    site = Site(
        id="lab", file=Path("lab.yaml"), folder=Path(".lab"), backend="file:///s", passphrase="lab", credentials=file
    )
    session = Session(stack="lab", site=site, parts=(), variables={})
    assert "TOKEN" not in session.environment()
    file.write_text("export TOKEN='t'\n")
    file.chmod(0o600)
    assert session.environment()["TOKEN"] == session.exports()["TOKEN"] == "t"


def test_each_part_says_where_it_came_from() -> None:
    session = Session(stack="lab", site=SITE, parts=(part(Origin.STANDIN, "/s"),), variables={})
    assert session.comments() == ["stack lab on site lab", f"x 1: {Origin.STANDIN.value}"]
    assert "STAND-IN" in session.comments()[1]
