"""What is run on a stack: plain pulumi, asked on real sites, never `cancel`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from setup import driver
from setup.report import SetupError
from setup.session import Session
from setup.sites import read_site
from setup.stackconfig import config_file
from setup.summary import summary
from tests.setup.checkout import checkout
from tests.setup.state.states import export, put_bytes, put_state, resource, state_folder


class Recorder:
    """Takes the place of starting programs; answers with set codes and texts."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []
        self.codes: dict[str, int] = {}
        self.prints: dict[str, str] = {}

    def run_to_end(self, line: Sequence[str], *_: Any, **__: Any) -> int:
        words = list(line) if line[0] == "pulumi" else [*line[2:4]]
        self.lines.append(words)
        return self.codes.get(" ".join(words[:2]), 0)

    def run(self, line: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        text = self.prints.get(" ".join(line[:3]), "")
        return subprocess.CompletedProcess(line, self.run_to_end(line), text)

    @property
    def said(self) -> list[str]:
        """Each line, as one text."""
        return [" ".join(line) for line in self.lines]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr("setup.stack.run_to_end", recorder.run_to_end)
    monkeypatch.setattr("setup.stack.subprocess.run", recorder.run)
    return recorder


def on_lab(tmp_path: Path, *, there: bool = True) -> Session:
    site = read_site("lab", tmp_path if (tmp_path / "sites").exists() else checkout(tmp_path))
    site.folder.mkdir(exist_ok=True)
    session = Session(stack="lab", site=site, parts=(), variables={})
    if there:
        checkpoint(session, resources=[])
    return session


def checkpoint(session: Session, **latest: Any) -> None:
    put_state(state_folder(session), session.stack, **latest)


def on_real_site(tmp_path: Path) -> Session:
    """With a backend that only the engine knows how to read."""
    site = replace(read_site("main", checkout(tmp_path)), backend="gs://state")
    site.folder.mkdir(parents=True)
    return Session(stack="acceptance", site=site, parts=(), variables={})


def test_preflight_starts_no_lab_and_makes_no_stack(ran: Recorder, tmp_path: Path) -> None:
    ran.codes["delivery.preflight --stack"] = 3
    assert driver.COMMANDS["preflight"](on_lab(tmp_path, there=False), ["--json"]) == 3
    assert ran.said == ["delivery.preflight --stack"]


def test_up_on_the_lab(ran: Recorder, tmp_path: Path) -> None:
    assert driver.up(on_lab(tmp_path), ["--refresh"]) == 0
    assert ran.said == [
        "lab up",
        "pulumi up --yes --skip-preview --policy-pack policies --refresh --stack lab",
        "pulumi stack output --json --stack lab",
    ]


def test_a_missing_stack_is_made_without_a_question(ran: Recorder, tmp_path: Path) -> None:
    driver.preview(on_lab(tmp_path, there=False), [])
    assert ran.said == [
        "lab up",
        "pulumi stack init lab --no-select",
        "pulumi preview --diff --policy-pack policies --stack lab",
    ]


def test_a_stack_on_another_site_is_made_beside_its_derived_configuration(ran: Recorder, tmp_path: Path) -> None:
    session = on_lab(tmp_path, there=False)
    config = config_file("acceptance", session.site, tmp_path)
    variables = {"PULUMI_OPTION_CONFIG_FILE": str(config)}
    driver.preview(replace(session, stack="acceptance", variables=variables), [])
    assert ran.said[1] == f"pulumi --cwd {tmp_path}/.lab/config stack init acceptance --no-select"
    assert "name: hypercompose" in (tmp_path / ".lab" / "config" / "Pulumi.yaml").read_text()


def test_a_real_site_has_no_lab_and_is_asked(ran: Recorder, tmp_path: Path) -> None:
    ran.prints["pulumi stack ls"] = '[{"name": "organization/hypercompose/acceptance"}]'
    ran.prints["pulumi stack export"] = export()
    driver.refresh(on_real_site(tmp_path), [])
    assert [line for line in ran.said if "stack ls" not in line and "export" not in line] == [
        "pulumi refresh --stack acceptance"
    ]


def test_a_lab_that_does_not_start_ends_it(ran: Recorder, tmp_path: Path) -> None:
    ran.codes["lab up"] = 3
    with pytest.raises(SystemExit) as leaving:
        driver.up(on_lab(tmp_path), [])
    assert leaving.value.code == 3
    assert ran.said == ["lab up"]


def test_a_failed_up_prints_no_outputs(ran: Recorder, tmp_path: Path) -> None:
    ran.codes["pulumi up"] = 255
    assert driver.up(on_lab(tmp_path), []) == 255
    assert len(ran.lines) == 2


def test_down_stops_a_lab_that_holds_nothing(ran: Recorder, tmp_path: Path) -> None:
    assert driver.down(on_lab(tmp_path), []) == 0
    assert ran.said == ["lab up", "pulumi destroy --yes --skip-preview --stack lab", "lab down"]


def test_down_destroys_nothing_of_a_stack_that_holds_on_to_something(ran: Recorder, tmp_path: Path) -> None:
    session = on_lab(tmp_path)
    checkpoint(session, resources=[resource("lab"), {**resource("lab", "site-limits"), "protect": True}])
    with pytest.raises(SetupError, match=r'site-limits may not be destroyed, .*allow: \["\*"\]'):
        driver.down(session, [])
    assert ran.said == ["lab up"]


def test_down_leaves_a_lab_that_another_stack_uses(ran: Recorder, tmp_path: Path) -> None:
    session = on_lab(tmp_path)
    other = Session(stack="acceptance", site=session.site, parts=(), variables={})
    checkpoint(other, resources=[resource("acceptance")])
    driver.down(session, [])
    assert "lab down" not in ran.said


SETTLE = [
    "delivery recover",
    "pulumi refresh --yes --skip-preview --clear-pending-creates --stack lab",
]


def test_recover_settles_then_ups(ran: Recorder, tmp_path: Path) -> None:
    assert driver.recover(on_lab(tmp_path), []) == 0
    assert ran.said[:3] == ["lab up", *SETTLE]
    assert ran.said[4].startswith("pulumi up")


def test_up_settles_what_an_interrupted_run_left(ran: Recorder, tmp_path: Path) -> None:
    session = on_lab(tmp_path)
    checkpoint(session, pending_operations=[{"type": "creating"}])
    driver.up(session, [])
    assert ran.said[:4] == ["lab up", *SETTLE, "pulumi up --yes --skip-preview --policy-pack policies --stack lab"]


def test_what_cannot_be_settled_is_not_built_upon(ran: Recorder, tmp_path: Path) -> None:
    session = on_lab(tmp_path)
    checkpoint(session, pending_operations=[{"type": "creating"}])
    ran.codes["delivery recover"] = 1
    assert driver.up(session, []) == 1
    assert ran.said == ["lab up", "delivery recover"]


def test_the_state_of_another_backend_is_exported_by_the_engine(ran: Recorder, tmp_path: Path) -> None:
    ran.prints["pulumi stack ls"] = '[{"name": "acceptance"}]'
    ran.prints["pulumi stack export"] = export(pending_operations=[{}])
    driver.COMMANDS["up"](on_real_site(tmp_path), [])
    assert "pulumi stack export --stack acceptance" in ran.said
    assert "delivery recover" in ran.said


def test_the_verdict_of_the_drift_report_is_the_exit_code(ran: Recorder, tmp_path: Path) -> None:
    ran.codes["delivery.drift --stack"] = 3
    assert driver.drift(on_lab(tmp_path), ["--json"]) == 3
    assert ran.said == ["lab up", "delivery.drift --stack"]


def test_a_stack_that_never_was_is_not_made_for_a_drift_report(ran: Recorder, tmp_path: Path) -> None:
    assert driver.drift(on_lab(tmp_path, there=False), []) == 1
    assert ran.said == ["lab up"]


@pytest.mark.parametrize("command", ["up", "preview", "drift", "commands", "refresh", "recover", "down"])
def test_a_cut_state_is_refused_before_the_engine_runs(ran: Recorder, tmp_path: Path, command: str) -> None:
    session = on_lab(tmp_path)
    put_bytes(state_folder(session), "lab", b'{"version": 3, "checkpoint": {"sta')
    with pytest.raises(SetupError, match="it is not whole"):
        driver.COMMANDS[command](session, [])
    assert ran.said == ["lab up"]


@pytest.mark.parametrize("command", ["up", "refresh", "recover", "down"])
def test_whatever_writes_is_between_two_exports(
    ran: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    session = on_lab(tmp_path)
    checkpoint(session, resources=[resource(name="before")])
    exports = session.site.folder / "exports" / "lab"
    seen: list[int] = []

    def engine(line: Sequence[str], *_: Any, **__: Any) -> int:
        """Changes the state, then fails."""
        if line[0] != "pulumi":
            return 0
        seen.append(len(list(exports.glob("*.json"))))
        checkpoint(session, resources=[resource(name="after")])
        return 255

    monkeypatch.setattr("setup.stack.run_to_end", engine)
    assert driver.COMMANDS[command](session, []) == 255
    assert seen == [1]
    assert [name in max(exports.glob("*.json")).read_text() for name in ("before", "after")] == [False, True]


@pytest.mark.parametrize("command", ["preview", "drift", "commands"])
def test_what_only_looks_exports_nothing(ran: Recorder, tmp_path: Path, command: str) -> None:
    session = on_lab(tmp_path)
    checkpoint(session, resources=[resource()])
    driver.COMMANDS[command](session, [])
    assert not (session.site.folder / "exports").exists()


def test_nothing_ever_cancels(ran: Recorder, tmp_path: Path) -> None:
    for command in driver.COMMANDS.values():
        with suppress(SetupError):  # state-restore wants a file
            command(on_lab(tmp_path), [])
    assert not any("cancel" in line for line in ran.said)


KEY = "ssh-ed25519 AAAA"
OUTPUTS = {"site": "lab", "hosts": {"vm-1": {"address": "10.0.0.5", "host_key": KEY, "user": "ops", "vm_id": 7}}}


def test_outputs_as_a_person_wants_them() -> None:
    assert list(summary(OUTPUTS, Path("/known"), "/k e/y")) == [
        "vm-1: 10.0.0.5",
        "  host key  ssh-ed25519 AAAA",
        "  ssh       ssh -i '/k e/y' -o UserKnownHostsFile=/known ops@10.0.0.5",
    ]
    assert list(summary({"hosts": {"vm-1": {"address": "10.0.0.5"}}}, Path("/known"), None)) == ["vm-1: 10.0.0.5"]
    assert list(summary({"hosts": "[secret]"}, Path("/known"), None)) == []


def test_up_keeps_the_pinned_keys_for_ssh(ran: Recorder, tmp_path: Path) -> None:
    ran.prints["pulumi stack output"] = json.dumps(OUTPUTS)
    driver.up(on_lab(tmp_path), [])
    assert (tmp_path / ".lab" / "known_hosts.lab").read_text() == "10.0.0.5 ssh-ed25519 AAAA\n"


def test_images_of_a_lab_are_all_that_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def lab(_: Session, *words: str) -> int:
        asked.extend(words)
        return 0

    monkeypatch.setattr(driver, "lab", lab)
    assert driver.images(on_lab(tmp_path), []) == 0
    assert asked[0] == "up" and {"odoo", "nginx", "postgres"} <= set(asked[1:])
