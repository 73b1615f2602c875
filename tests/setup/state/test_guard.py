"""What must not be built upon is refused with the command that restores the last good state."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from setup.report import SetupError
from setup.session import Session
from setup.state.current import Current
from setup.state.guard import keep, usable
from setup.state.way_back import restore_command
from tests.setup.state.states import claim, kept, lab_session, put_bytes, put_state, resource

PARTS: dict[str, Any] = {"resources": [resource(), claim("lab")]}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A stack with a sound state and an export of it."""
    found = lab_session(tmp_path)
    put_state(tmp_path / "state", "lab", **PARTS)
    assert keep(found) is not None
    return found


def spoil(session: Session, content: bytes) -> None:
    put_bytes(Path(session.site.backend.removeprefix("file://")), "lab", content)


def refusal(session: Session) -> str:
    with pytest.raises(SetupError) as refused:
        usable(session)
    return str(refused.value)


def export_named(text: str) -> Path:
    words = shlex.split(text[text.index("make state-restore") :])
    return Path(next(word for word in words if word.startswith("EXPORT=")).removeprefix("EXPORT="))


def test_a_sound_state_is_handed_out(session: Session) -> None:
    found = usable(session)
    assert found is not None
    assert found.site == "lab"


def test_a_stack_that_never_was_is_none(tmp_path: Path) -> None:
    assert usable(lab_session(tmp_path)) is None
    assert keep(lab_session(tmp_path)) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (kept(**PARTS)[:300], "it is not whole"),
        (b"", "it is empty"),
        (kept("other", resources=[resource("other")]), "it is the state of stack 'other'"),
        (kept(resources=[claim("main")]), "it belongs to site 'main'"),
        (kept(resources=[resource(parent="gone")]), "'gone' is missing"),
    ],
)
def test_a_bad_one_is_refused_with_the_export_that_is_good(session: Session, content: bytes, says: str) -> None:
    spoil(session, content)
    text = refusal(session)
    assert says in text
    assert "\n" not in text
    assert export_named(text) == next(iter(Current(session).archive.times().values()))


def test_a_bad_one_is_never_exported(session: Session) -> None:
    spoil(session, b"{")
    with pytest.raises(SetupError):
        keep(session)
    assert len(Current(session).archive.times()) == 1


def test_one_that_is_gone_is_refused_while_its_export_holds_something(session: Session) -> None:
    Path(session.site.backend.removeprefix("file://"), ".pulumi/stacks/hypercompose/lab.json").unlink()
    assert "it is gone, although its last export holds 2 resources" in refusal(session)


def test_one_that_was_taken_down_and_removed_is_begun_anew(session: Session) -> None:
    spoil(session, kept())
    keep(session)
    Path(session.site.backend.removeprefix("file://"), ".pulumi/stacks/hypercompose/lab.json").unlink()
    assert usable(session) is None


def test_a_copy_that_the_engine_kept_wins_when_it_is_newer(session: Session, tmp_path: Path) -> None:
    """Somebody else has updated the stack since this machine's export."""
    history = tmp_path / "state" / ".pulumi" / "history" / "hypercompose" / "lab"
    history.mkdir(parents=True)
    newer = kept(at="2026-11-26T00:00:00Z", resources=[resource(), claim("lab"), resource(name="later")])
    (history / "lab-1.checkpoint.json").write_bytes(newer)
    (history / "lab-2.checkpoint.json").write_bytes(newer[:99])
    spoil(session, b"")
    text = refusal(session)
    assert "a copy that Pulumi kept in the backend, is of 2026-11-26 00:00:00 UTC" in text
    assert '"later"' not in text
    assert "later" in export_named(text).read_text()


def test_a_newer_copy_of_the_same_is_no_other_state(session: Session, tmp_path: Path) -> None:
    history = tmp_path / "state" / ".pulumi" / "history" / "hypercompose" / "lab"
    history.mkdir(parents=True)
    (history / "lab-1.checkpoint.json").write_bytes(kept(at="2026-11-26T00:00:00Z", **PARTS))
    spoil(session, b"")
    assert "The last good export is of 2026-11-25 12:00:00 UTC" in refusal(session)
    assert len(Current(session).archive.times()) == 1


def test_without_anything_good_it_says_whom_to_ask(tmp_path: Path) -> None:
    session = lab_session(tmp_path)
    put_bytes(tmp_path / "state", "lab", b"{")
    assert refusal(session).endswith("make state-restore STACK=lab EXPORT='<file>'")


@pytest.mark.parametrize("folder", ["it's", "a b", "$(reboot)", "<script>|", "ü"])
def test_the_command_holds_whatever_the_folder_is_called(tmp_path: Path, folder: str) -> None:
    line = restore_command(Current(lab_session(tmp_path)), f"/{folder}/x.json")
    assert shlex.split(line)[3] == f"EXPORT=/{folder}/x.json".replace("$", "$$")  # make takes one of them away


def test_on_another_site_the_command_says_so(tmp_path: Path) -> None:
    session = replace(lab_session(tmp_path), variables={"PULUMI_OPTION_CONFIG_FILE": "/x"})
    assert restore_command(Current(session), "/x.json") == "make state-restore STACK=lab SITE=lab EXPORT=/x.json"
