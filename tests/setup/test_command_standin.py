"""The pulumi-command stand-in: runs, words failures and decides what runs again as the official plugin does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import paramiko
import pytest
from pulumi.runtime.proto import provider_pb2

from setup.standins.command import local, remote, wire
from setup.standins.command.outcome import CommandFailed, Outcome, previous_output
from setup.standins.command.service import Plugin
from setup.standins.command.stops import Stops

LOCAL = "urn:pulumi:s::p::command:local:Command::x"
REMOTE = "urn:pulumi:s::p::command:remote:Command::x"
COPY = "urn:pulumi:s::p::command:remote:CopyToRemote::x"


class Refused(Exception):
    """What the engine would be told."""


def abort(code: object, text: str) -> NoReturn:
    raise Refused(text)


CONTEXT = SimpleNamespace(abort=abort)


@pytest.fixture
def logged() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def plugin(logged: list[tuple[str, str]]) -> Plugin:
    return Plugin(lambda urn, text: logged.append((urn, text)))


def create(plugin: Plugin, urn: str, inputs: dict[str, Any], preview: bool = False) -> dict[str, Any]:
    asked = provider_pb2.CreateRequest(urn=urn, properties=wire.write(inputs), preview=preview)
    return wire.read(plugin.Create(asked, CONTEXT).properties)


def diff(plugin: Plugin, old: dict[str, Any], new: dict[str, Any]) -> Any:
    return plugin.Diff(provider_pb2.DiffRequest(old_inputs=wire.write(old), news=wire.write(new)), CONTEXT)


def test_create_runs_and_keeps_the_output(plugin: Plugin, logged: list[tuple[str, str]]) -> None:
    made = create(plugin, LOCAL, {"create": "cat; echo oops >&2", "stdin": "hello\n"})
    assert (made["stdout"], made["stderr"]) == ("hello", "oops")
    assert sorted(logged[0][1].split()) == ["hello", "oops"]


def test_a_preview_runs_nothing(plugin: Plugin, tmp_path: Path) -> None:
    made = create(plugin, LOCAL, {"create": f"touch {tmp_path}/ran"}, preview=True)
    assert made["stdout"] == wire.UNKNOWN
    assert not (tmp_path / "ran").exists()


def test_a_failure_holds_the_command_line_and_its_output(plugin: Plugin) -> None:
    with pytest.raises(Refused) as refusal:
        create(plugin, LOCAL, {"create": "echo said; exit 3"})
    assert str(refusal.value) == 'exit status 3: running "echo said; exit 3":\nsaid\n'


@pytest.mark.parametrize(
    ("logging", "shown"), [("none", ""), ("stdout", "o\n"), ("stderr", "e\n"), ("stdoutAndStderr", "oe\n")]
)
def test_logging_shows_what_it_may(logging: str, shown: str) -> None:
    assert Outcome(stdout="o\n", stderr="e\n", both="oe\n").to_log(logging) == shown


def test_update_runs_update_else_create_again(plugin: Plugin) -> None:
    def update(inputs: dict[str, Any]) -> str:
        asked = provider_pb2.UpdateRequest(
            urn=LOCAL, olds=wire.write({"stdout": "before", "stderr": ""}), news=wire.write(inputs)
        )
        return str(wire.read(plugin.Update(asked, CONTEXT).properties)["stdout"])

    assert update({"create": "echo created", "update": "echo updated $PULUMI_COMMAND_STDOUT"}) == "updated before"
    assert update({"create": "echo created again"}) == "created again"
    assert update({"delete": "echo never"}) == "before"


def test_delete_runs_with_the_last_output(plugin: Plugin, tmp_path: Path) -> None:
    state = {"delete": f'echo "$PULUMI_COMMAND_STDOUT" > {tmp_path}/gone', "stdout": "last", "stderr": ""}
    plugin.Delete(provider_pb2.DeleteRequest(urn=LOCAL, properties=wire.write(state)), CONTEXT)
    assert (tmp_path / "gone").read_text() == "last\n"


def test_previous_output_can_be_kept_out() -> None:
    assert previous_output({"stdout": "x", "stderr": ""}, {}) == {"PULUMI_COMMAND_STDOUT": "x"}
    assert previous_output({"stdout": "x"}, {"addPreviousOutputInEnv": False}) == {}


def test_any_change_updates_and_triggers_replace(plugin: Plugin) -> None:
    old = {"create": "a", "triggers": ["1"], "environment": {"A": "1"}}
    changed = diff(plugin, old, {**old, "environment": {"A": "2"}, "stdin": "new"})
    assert (list(changed.diffs), list(changed.replaces)) == (["environment", "stdin"], [])
    replaced = diff(plugin, old, {**old, "triggers": ["2"]})
    assert list(replaced.replaces) == ["triggers"]
    assert replaced.detailedDiff["triggers"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    assert diff(plugin, old, old).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_mark_of_secrecy_is_no_change(plugin: Plugin) -> None:
    assert list(diff(plugin, {"stdin": wire.secret("x")}, {"stdin": "x"}).diffs) == []


def test_output_of_a_command_made_from_secrets_is_secret(plugin: Plugin) -> None:
    made = create(plugin, LOCAL, {"create": "cat", "stdin": wire.secret("canary")})
    assert made["stdin"] == wire.secret("canary")
    assert made["stdout"] == wire.secret("canary")
    assert made["stderr"] == wire.secret("")


@pytest.mark.parametrize(("source", "reasons"), [({"path": "/etc/hosts"}, 0), ({"text": "inline"}, 1)])
def test_only_paths_are_copied(plugin: Plugin, source: dict[str, str], reasons: int) -> None:
    asked = provider_pb2.CheckRequest(urn=COPY, news=wire.write({"source": source, "remotePath": "/x"}))
    assert len(plugin.Check(asked, CONTEXT).failures) == reasons


def test_nobody_answers_at_the_address() -> None:
    connection = {"host": "127.0.0.1", "port": 1, "dialErrorLimit": 1}
    with pytest.raises(
        CommandFailed, match=r"after 1 failed attempts: dial tcp 127\.0\.0\.1:1: connect: connection refused"
    ):
        remote.run("true", {"connection": connection}, {}, Stops())


def test_a_wrong_host_key_is_refused_before_logging_in() -> None:
    from tests.provisioning.sshd import Sshd

    key, other = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
    server = Sshd(key, key, lambda command, stdin: (0, b"", b""))
    connection = {
        "host": "127.0.0.1",
        "port": server.port,
        "dialErrorLimit": 0,
        "hostKey": f"{other.get_name()} {other.get_base64()}",
    }
    with pytest.raises(CommandFailed, match="host key mismatch"):
        remote.run("true", {"connection": connection}, {}, Stops())
    assert server.commands == []


def test_cancel_ends_a_running_command(plugin: Plugin) -> None:
    import threading

    problems: list[str] = []

    def run() -> None:
        try:
            create(plugin, LOCAL, {"create": "exec sleep 30"})
        except Refused as refusal:
            problems.append(str(refusal))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        plugin.Cancel(None, CONTEXT)
        thread.join(0.05)
    assert problems == ['signal: 15: running "exec sleep 30":\n']


def test_an_interpreter_that_is_not_there() -> None:
    with pytest.raises(CommandFailed, match="no-such-shell"):
        local.run("x", {"interpreter": ["/no-such-shell"]}, {}, Stops())
