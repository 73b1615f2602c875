"""What the child does on the stack of an instance: what is made, what is looked at first, what is left."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError

from hosting import child
from hosting.checkpoint import STACK
from hosting.order import FOLDER_VARIABLE
from tests.hosting.orders import order
from tests.hosting.test_said import dead, locked
from tests.settings.conftest import lab_site

__all__ = ["lab_site"]
URN = "urn:pulumi:dev.shop::hypercompose-instances::hypercompose:portainer:Stack::i-shop"
MAKING = {"type": "creating", "resource": {"urn": URN}}
DEPLOYED: dict[str, Any] = {
    "type": STACK,
    "urn": URN,
    "inputs": {"keepVolumes": False},
    "outputs": {"keepVolumes": False},
}
OTHER = {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:dev.shop::p::s::x", "outputs": {"host": "srv"}}


def failed(said: str, kind: type[CommandError] = CommandError) -> CommandError:
    return kind(CommandResult(stdout="", stderr=said, code=255))


def diagnostic(message: str) -> SimpleNamespace:
    return SimpleNamespace(diagnostic_event=SimpleNamespace(severity="error", message=message), resource_pre_event=None)


class Automation:
    """The Automation API with one stack, which is there or not."""

    def __init__(self) -> None:
        self.is_there, self.calls = True, list[str]()
        self.resources: list[dict[str, Any]] = [OTHER]
        self.pending: list[dict[str, Any]] = []
        self.answers: dict[str, list[Callable[[], Any]]] = {}
        self.told: dict[str, tuple[Any, bool]] = {}
        self.workspace = SimpleNamespace(remove_stack=lambda name, force: self._called("remove_stack"))

    def LocalWorkspaceOptions(self, work_dir: str) -> Path:
        assert (Path(work_dir) / "Pulumi.yaml").exists()
        return Path(work_dir)

    def create_or_select_stack(self, name: str, **_: Any) -> Automation:
        self.calls.append(f"make {name}" if not self.is_there else "select")
        self.is_there = True
        return self

    def select_stack(self, name: str, **_: Any) -> Automation:
        if not self.is_there:
            raise failed(f"no stack named '{name}' found", StackNotFoundError)
        self.calls.append("select")
        return self

    def refresh(self, on_output: object, on_event: object) -> None:
        """As the engine: what was being made stays pending."""
        self._called("refresh")
        self.pending = [each for each in self.pending if each["type"] == "creating"]

    def up(self, on_event: Callable[[Any], None], **_: Any) -> Any:
        self._called("up", on_event)
        return SimpleNamespace(outputs=self.outputs())

    def destroy(self, remove: bool, **_: Any) -> None:
        assert remove
        self._called("destroy")
        self.is_there = False

    def cancel(self) -> None:
        self._called("cancel")

    def export_stack(self) -> Any:
        content = {"resources": self.resources, "pending_operations": self.pending}
        return automation.Deployment(version=3, deployment=json.loads(json.dumps(content)))

    def import_stack(self, whole: Any) -> None:
        self.calls.append("import")
        self.resources, self.pending = whole.deployment["resources"], whole.deployment["pending_operations"]

    def outputs(self) -> dict[str, Any]:
        return {key: SimpleNamespace(value=value, secret=secret) for key, (value, secret) in self.told.items()}

    def _called(self, what: str, hear: Callable[[Any], None] = lambda event: None) -> None:
        self.calls.append(what)
        if answers := self.answers.get(what):
            error = answers.pop(0)()
            for message in getattr(error, "diagnostics", ()):
                hear(diagnostic(message))
            if error:
                raise error


@pytest.fixture
def stack(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Automation:
    found = Automation()
    for name in ("LocalWorkspaceOptions", "create_or_select_stack", "select_stack"):
        monkeypatch.setattr(automation, name, getattr(found, name))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "instances"))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "instances" / "dev.shop"


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def run(operation: str, **changes: Any) -> dict[str, Any]:
    return child._done(order(**changes), operation)


def test_it_reads_an_order_and_prints_one_line(
    stack: Automation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(order().to_json()))
    assert child.main(["up"]) == 0
    assert capfd.readouterr().out == '{"outputs": {}}\n'
    stack.answers["up"] = [lambda: failed("error: no disk")]
    monkeypatch.setattr("sys.stdin", io.StringIO(order().to_json()))
    assert child.main(["up"]) == 1
    assert json.loads(capfd.readouterr().out) == {"why": "error: no disk"}


def test_a_ctrl_c_is_left_to_the_engine_and_reaches_what_it_starts(
    stack: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(order().to_json()))

    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    stack.answers["up"] = [interrupted]
    assert child.main(["up"]) == 0
    assert signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, signal.SIG_DFL)


@pytest.mark.parametrize("operation", ["up", "repair", "preview"])
def test_a_stack_is_made_only_for_what_brings_one_up(
    stack: Automation, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "preview", lambda **_: None, raising=False)
    stack.is_there = False
    assert "why" not in run(operation)
    assert stack.calls[0] == "make dev.shop"


@pytest.mark.parametrize("operation", ["outputs", "secrets", "destroy", "abandon"])
def test_what_is_not_there_is_not_made_to_be_looked_at_or_removed(
    stack: Automation, folder: Path, operation: str
) -> None:
    stack.is_there = False
    assert run(operation) == {} and stack.calls == []
    assert folder.exists() == (operation in ("outputs", "secrets"))


def test_what_an_order_cannot_be_is_told_in_a_sentence_and_nothing_is_made(stack: Automation) -> None:
    stack.is_there = False
    said = run("up", tenant="a $(reboot)")["why"]
    assert said.startswith('instance shop: tenant: "a $(reboot)", expected ') and "\n" not in said
    assert "PRODUCT=none" in run("up", product="none")["why"]
    assert stack.calls == []


def test_an_interrupted_run_is_settled_before_the_next(stack: Automation) -> None:
    run("up")
    assert stack.calls == ["select", "up"]
    stack.calls.clear()
    stack.pending = [MAKING]
    run("up")
    assert stack.calls == ["select", "refresh", "up", "import"] and stack.pending == []


def test_what_was_being_made_stays_noted_until_it_is_made(stack: Automation) -> None:
    stack.pending = [MAKING]
    stack.answers["up"] = [lambda: failed("error: Portainer away")]
    assert run("repair") == {"why": "error: Portainer away"}
    assert stack.pending == [MAKING]


def test_one_that_failed_half_way_is_looked_at_before_the_next(stack: Automation) -> None:
    stack.resources = [OTHER, {**DEPLOYED, "initErrors": ["not well"]}]
    run("up")
    assert stack.calls == ["select", "refresh", "up"]


def test_a_repair_looks_at_the_world_first(stack: Automation) -> None:
    run("repair")
    assert stack.calls == ["select", "refresh", "up"]


def test_a_destroy_leaves_neither_stack_nor_folder(stack: Automation, folder: Path) -> None:
    stack.resources = [OTHER, DEPLOYED]
    assert run("destroy") == {}
    assert stack.calls == ["select", "destroy"] and not stack.is_there and not folder.exists()


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_whether_volumes_go_is_what_the_order_says_at_the_end(stack: Automation, before: bool, after: bool) -> None:
    told = {"keepVolumes": before, "name": "i-shop"}
    stack.resources = [OTHER, {**DEPLOYED, "inputs": dict(told), "outputs": dict(told)}]
    run("destroy", keep_volumes=after)
    expected = {"keepVolumes": after, "name": "i-shop"}
    assert stack.resources == [OTHER, {**DEPLOYED, "inputs": expected, "outputs": expected}]
    assert stack.calls == ["select", *(["import"] if before != after else []), "destroy"]


def test_what_was_being_made_when_a_run_died_is_taken_up_so_that_it_can_be_removed(stack: Automation) -> None:
    stack.pending = [MAKING]
    assert run("destroy") == {}
    assert stack.calls == ["select", "refresh", "up", "import", "destroy"]


def test_what_was_being_changed_when_a_run_died_is_removed_like_anything_else(stack: Automation) -> None:
    stack.pending = [{"type": "updating", "resource": {"urn": URN}}]
    assert run("destroy") == {}
    assert stack.calls == ["select", "destroy"]


def test_what_somebody_has_taken_up_since_needs_no_other_look(stack: Automation) -> None:
    stack.pending, stack.resources = [MAKING], [OTHER, DEPLOYED]
    assert run("destroy") == {}
    assert stack.calls == ["select", "destroy"]


def test_what_is_taken_up_and_is_not_well_is_removed_all_the_same(stack: Automation) -> None:
    def half_made() -> CommandError:
        stack.resources = [OTHER, DEPLOYED]
        return failed("error: unhealthy")

    stack.pending, stack.answers["up"] = [MAKING], [half_made]
    assert run("destroy", keep_volumes=True) == {}
    assert stack.calls[-1] == "destroy" and stack.resources[1]["outputs"] == {"keepVolumes": True}


def test_why_it_cannot_be_removed_is_told_and_not_why_it_was_not_well_before(stack: Automation) -> None:
    def half_made() -> CommandError:
        stack.resources = [OTHER, DEPLOYED]
        error = failed("code: 255")
        error.diagnostics = ["unhealthy"]  # type: ignore[attr-defined]
        return error

    stack.pending = [MAKING]
    stack.answers |= {"up": [half_made], "destroy": [lambda: failed("error: no disk")]}
    assert run("destroy") == {"why": "error: no disk"}


def test_what_cannot_be_taken_up_is_not_forgotten_however_often_that_is_tried(stack: Automation) -> None:
    stack.pending = [MAKING]
    stack.answers["up"] = [lambda: failed("error: Portainer away")] * 2
    for _ in range(2):
        assert run("destroy") == {"why": "error: Portainer away"}
    assert "destroy" not in stack.calls and stack.is_there
    assert run("destroy") == {} and not stack.is_there


def test_an_abandoned_one_is_dropped_and_nothing_is_asked_of_its_host(stack: Automation, folder: Path) -> None:
    stack.pending = [MAKING]
    assert run("abandon") == {}
    assert stack.calls == ["select", "remove_stack"] and not folder.exists()


def test_secrets_are_told_to_who_asks_for_them_and_to_nobody_else(stack: Automation) -> None:
    stack.told = {"urls": ({"web": "http://x"}, False), "secrets": ({"odoo_admin_password": "Canary"}, True)}
    assert run("up") == run("outputs") == {"outputs": {"urls": {"web": "http://x"}}}
    assert run("secrets") == {"secrets": {"odoo_admin_password": "Canary"}}
    stack.told = {}
    assert run("secrets") == {"secrets": {}}


def test_the_lock_of_a_process_that_died_is_removed_once(stack: Automation) -> None:
    stack.answers["up"] = [lambda: failed(locked(dead()), ConcurrentUpdateError)]
    assert "why" not in run("up")
    assert stack.calls == ["select", "up", "cancel", "up"]
    stack.answers["up"] = [lambda: failed(locked(dead()), ConcurrentUpdateError)] * 2
    assert "is currently locked" in run("up")["why"]


def test_the_lock_of_somebody_who_lives_is_left_alone(stack: Automation) -> None:
    stack.answers["up"] = [lambda: failed(locked(1, host=f"not-{socket.gethostname()}"), ConcurrentUpdateError)]
    assert "is currently locked" in run("up")["why"]
    assert "cancel" not in stack.calls


def test_a_failure_is_told_by_what_the_engine_said_of_it(stack: Automation) -> None:
    def refused() -> CommandError:
        error = failed("code: 255")
        error.diagnostics = ["stack i-shop:\n no disk", "update failed"]  # type: ignore[attr-defined]
        return error

    stack.answers["up"] = [refused]
    assert run("up") == {"why": "stack i-shop: no disk"}


def test_an_environment_that_is_gone_is_a_failure_and_no_result(stack: Automation) -> None:
    stack.answers["up"] = [lambda: failed("error: no stack named 'dev' found", StackNotFoundError)]
    assert run("up") == {"why": "error: no stack named 'dev' found"}


def test_changes_of_a_preview_are_told_by_resource(stack: Automation, monkeypatch: pytest.MonkeyPatch) -> None:
    def preview(on_event: Callable[[Any], None], refresh: bool, **_: Any) -> None:
        assert refresh
        for name, kind in (("i-shop", "update"), ("environment", "read"), ("site", "same"), ("other", "create")):
            metadata = SimpleNamespace(op=SimpleNamespace(value=kind), urn=f"urn:pulumi:dev.shop::p::t::{name}")
            on_event(SimpleNamespace(diagnostic_event=None, resource_pre_event=SimpleNamespace(metadata=metadata)))

    monkeypatch.setattr(stack, "preview", preview, raising=False)
    assert run("preview") == {"changes": {"i-shop": "update", "other": "create"}}
