"""Steps over SSH against a scripted server: round trips, connections, losses, messages."""

from __future__ import annotations

import hashlib
import shlex
import threading
from collections.abc import Callable, Iterator
from typing import Any

import paramiko
import pytest

from provisioning import hosts as module
from provisioning.host import Address, ConnectionLost, HostUnreachable
from provisioning.hosts import Hosts, StepFailed
from provisioning.ssh import Ssh
from provisioning.steps.step import Step
from tests.provisioning import sshd

CLIENT = paramiko.ECDSAKey.generate()
HOST = paramiko.ECDSAKey.generate()
Answer = tuple[int, bytes, bytes]


class Scripted:
    """Answers programs by what they are; `behave` may take over."""

    def __init__(self) -> None:
        self.programs: list[str] = []
        self.behave: Callable[[str], Answer | None] = lambda program: None

    def __call__(self, command: str, stdin: bytes) -> Answer:
        assert command == f"bash -c {shlex.quote(module.AS_ROOT)}"
        assert 'exec sudo -n env SSH_CONNECTION="$SSH_CONNECTION" bash -s' in command
        program = stdin.decode()
        self.programs.append(program)
        answer = self.behave(program)
        if answer is not None:
            return answer
        if program.startswith("# All checks"):
            return 0, self.survey(), b""
        if "resumed=" in program:
            return 0, b"changed\nname\t:=\tx\n", b""
        return 0, b"name\t:=\tx\n", b""

    def survey(self) -> bytes:
        """Answers to the checks of `steps()`, but for the last, which the host does not keep."""
        parts = [
            f"check {hashlib.sha256(step.check_program().encode()).hexdigest()} 0\n> name\t:=\t{step.name}\n"
            for step in steps()[:-1]
        ]
        return "".join(parts).encode()


def steps(count: int = 21) -> list[Step]:
    return [Step(name=f"h-{n}", script="check() { :; }", wanted={"name": f"h-{n}"}) for n in range(count)]


def step(**other: Any) -> Step:
    return Step(**{"name": "h-x", "script": "check() { :; }", "wanted": {"name": "x"}, **other})


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def server(scripted: Scripted) -> Iterator[Any]:
    with sshd.serving(HOST, CLIENT, scripted) as running:
        yield running


@pytest.fixture
def place(server: Any) -> Address:
    return Address(host="127.0.0.1", port=server.port, user="ops", host_key=f"{HOST.get_name()} {HOST.get_base64()}")


def test_all_checks_of_a_host_travel_in_one_round_trip_over_one_connection(
    server: Any, scripted: Scripted, place: Address
) -> None:
    hosts, kept = Hosts(Ssh(lambda: CLIENT)), steps()[:-1]
    found: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda one=one: found.update({one.name: hosts.look(place, one)["name"]}))
        for one in kept
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {one.name: one.name for one in kept}
    assert (server.connections, len(scripted.programs)) == (1, 1)


def test_a_host_that_cannot_be_reached_is_waited_for_once_and_asked_again_after_a_change(
    server: Any, place: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = Ssh(lambda: CLIENT)
    tried: list[Address] = []

    def away(address: Address, *_: Any, **__: Any) -> Any:
        tried.append(address)
        raise HostUnreachable("10.0.0.1: no route")

    hosts = Hosts(ssh)
    with monkeypatch.context() as patch:
        patch.setattr(ssh, "wait", away)
        for one in steps()[:3]:
            with pytest.raises(HostUnreachable, match="no route"):
                hosts.look(place, one)
        with pytest.raises(HostUnreachable, match="no route"):
            hosts.reach(place)
    assert len(tried) == 1
    hosts.converge(place, step())
    assert hosts.look(place, steps()[0]) == {"name": "h-0"}


def test_a_connection_lost_on_the_way_is_tried_again_by_the_next_step(
    scripted: Scripted, place: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = Ssh(lambda: CLIENT)

    def lost(address: Address, *_: Any, **__: Any) -> Any:
        raise ConnectionLost("10.0.0.1: cut")

    hosts = Hosts(ssh)
    with monkeypatch.context() as patch:
        patch.setattr(ssh, "run", lost)
        with pytest.raises(ConnectionLost):
            hosts.look(place, steps()[0])
    assert hosts.look(place, steps()[0]) == {"name": "h-0"}


def test_a_check_that_the_host_does_not_keep_is_asked_by_itself(scripted: Scripted, place: Address) -> None:
    assert Hosts(Ssh(lambda: CLIENT)).look(place, steps()[-1]) == {"name": "x"}
    assert len(scripted.programs) == 2


def test_an_answer_is_used_once_and_forgotten_by_a_change(scripted: Scripted, place: Address) -> None:
    hosts, first = Hosts(Ssh(lambda: CLIENT)), steps()[0]
    assert hosts.look(place, first) == {"name": "h-0"}
    hosts.converge(place, step())
    assert hosts.look(place, first) == {"name": "h-0"}
    assert sum(program.startswith("# All checks") for program in scripted.programs) == 2


def test_a_failure_names_host_step_code_and_last_lines_without_secrets(scripted: Scripted, place: Address) -> None:
    noise = "\n".join(f"line {n}" for n in range(40)) + "\nlogin with hunter2 refused"
    scripted.behave = lambda program: (7, b"", noise.encode())
    with pytest.raises(StepFailed) as failed:
        Hosts(Ssh(lambda: CLIENT)).converge(place, step(secrets={"password": "hunter2"}))
    assert str(failed.value).startswith("127.0.0.1: step h-x: failed (exit code 7): ")
    assert str(failed.value).endswith("line 39 | login with *** refused")
    assert "line 30" not in str(failed.value)


def test_a_host_that_does_not_get_as_wanted_says_what_it_is(scripted: Scripted, place: Address) -> None:
    scripted.behave = lambda program: (0, b"changed\nname\t:=\ty\n", b"")
    with pytest.raises(StepFailed, match='applied, but name is "y" and not "x"'):
        Hosts(Ssh(lambda: CLIENT)).converge(place, step())


def test_a_password_that_sudo_wants_is_told_with_the_remedy(scripted: Scripted, place: Address) -> None:
    scripted.behave = lambda program: (1, b"", b"sudo: a password is required\n")
    with pytest.raises(StepFailed, match="Let ops use sudo without a password there"):
        Hosts(Ssh(lambda: CLIENT)).converge(place, step())


def test_after_a_lost_connection_the_program_is_asked_how_far_it_came(
    server: Any, scripted: Scripted, place: Address
) -> None:
    def lose_it(program: str) -> Answer | None:
        if "resumed=no" in program:
            server.cut()
        return (0, b"resumed\nname\t:=\tx\n", b"") if "resumed=yes" in program else None

    scripted.behave = lose_it
    done = Hosts(Ssh(lambda: CLIENT)).converge(place, step())
    assert (done.changed, done.found) == (True, {"name": "x"})
    assert [p.count("resumed=no") for p in scripted.programs] == [1, 0], "nothing ran twice"


def test_a_host_that_stays_away_ends_the_step_at_its_deadline(
    server: Any, scripted: Scripted, place: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACK_AFTER_LOSS_S", 0.5)

    def die(program: str) -> Answer | None:
        server.close()
        return None

    scripted.behave = die
    with pytest.raises(HostUnreachable, match=r"step h-x: .*connection lost.*waited 0 s"):
        Hosts(Ssh(lambda: CLIENT)).converge(place, step())


def test_a_step_that_shuts_the_door_is_taken_back(
    scripted: Scripted, place: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "answers", lambda address: False)
    with pytest.raises(StepFailed, match=r"no new SSH connection gets in.*taken back"):
        Hosts(Ssh(lambda: CLIENT)).converge(place, step(), can_lock_out=True)
    assert "revert ended with" in scripted.programs[-1]


def test_a_program_that_is_cut_on_its_way_does_nothing() -> None:
    import subprocess

    program = step(script="check() { echo ran >&2; }; apply() { :; }; revert() { echo ran >&2; }").revert_program()
    for length in range(0, len(program) - 40, 97):
        done = subprocess.run(["bash", "-s"], input=program[:length].encode(), capture_output=True, check=False)
        assert b"ran" not in done.stderr
