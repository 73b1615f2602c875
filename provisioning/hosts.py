"""Hosts and the steps on them: checks gathered into one round trip a host, failures told with their last lines."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioning.errors import ProvisioningError
from provisioning.host import Address, ConnectionLost, HostUnreachable, Result
from provisioning.steps.facts import differences, from_lines
from provisioning.steps.step import Step, shell

if TYPE_CHECKING:
    from provisioning.ssh import Ssh

AS_ROOT = (
    'if [ "$(id -u)" -eq 0 ]; then exec bash -s; else exec sudo -n env SSH_CONNECTION="$SSH_CONNECTION" bash -s; fi'
)
"""The program comes by standard input: nothing of it is ever in a list of processes. sudo drops whence we come."""
_COMMAND = f"bash -c {shlex.quote(AS_ROOT)}"
_HOLD = """mkdir -p /run/hypercompose && exec 9>{file} && flock -w {patience_s} 9 && echo held && exec cat >/dev/null
exit 1
"""
LOOK_DEADLINE_S = 5.0
SURVEY_TIMEOUT_S = 150.0
BACK_AFTER_LOSS_S = 120.0
BANNER_TIMEOUT_S = 5.0
SLOW_HOST_S = 60.0


class StepFailed(ProvisioningError):
    """A step did not end as wanted; something of it may be there, and it can be repeated or reverted."""


@dataclass(frozen=True)
class Converged:
    """How a step ended."""

    changed: bool
    found: dict[str, Any]


@dataclass(frozen=True)
class _Answer:
    code: int
    out: str
    err: str


@dataclass
class _Survey:
    """What the checks that a host keeps have answered, by the hash of each; each answer is used once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: dict[str, _Answer] | None = None
    lost: HostUnreachable | None = None
    """Why there are none: the other steps of the host need not wait for it as well. Forgotten by a change."""


class Hosts:
    """Runs programs of steps over the pooled connections. Safe to use from several threads."""

    def __init__(self, ssh: Ssh) -> None:
        """Take the pool."""
        self._ssh = ssh
        self._surveys: dict[Address, _Survey] = {}
        self._guard = threading.Lock()

    def look(self, address: Address, step: Step) -> dict[str, Any]:
        """What is there now. The first question to a host brings the answers to all that it will be asked."""
        answer = self._surveyed(address, step.check_hash())
        if answer is None:
            result = self._run(address, step.check_program(), step.timeout_s)
            answer = _Answer(result.exit_code, result.stdout, result.stderr)
        if answer.code != 0:
            raise StepFailed(_failure(address, step, "could not be looked at", answer))
        return from_lines(answer.out)

    def reach(self, address: Address) -> None:
        """Make sure of a connection, and of the host's key. Who cannot be had is waited for once, whoever asks."""
        survey = self._survey(address)
        with survey.lock:
            self._reach(address, survey)

    def converge(self, address: Address, step: Step, *, can_lock_out: bool = False) -> Converged:
        """Bring the step about. Raises StepFailed, HostUnreachable, HostKeyMismatch."""
        self._forget_survey(address)
        result = self._survive(address, step, undo=can_lock_out)
        if result.exit_code != 0:
            raise StepFailed(_failure(address, step, "failed", result))
        how, _, lines = result.stdout.partition("\n")
        if how != "unchanged" and can_lock_out:
            self._refuse_lock_out(address, step)
        found = from_lines(lines)
        left = list(differences(step.wanted, found))
        if left:
            path, have, want = left[0]
            raise StepFailed(
                f"{address.host}: step {step.name}: {'was cut off, and' if how == 'resumed' else 'applied, but'} "
                f"{step.redacted(' '.join(path))} is {json.dumps(have)} and not {json.dumps(want)}; run it again, "
                "or look at the host: something else there may change it back"
            )
        return Converged(how != "unchanged", found)

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        """What a program of root's leaves, that changes nothing a step knows of."""
        return self._run(address, program, timeout_s)

    @contextlib.contextmanager
    def holding(self, address: Address, name: str, patience_s: float) -> Iterator[None]:
        """Hold a lock of the host's: whoever works on the same name, from wherever, waits. Ends with the connection."""
        program = _HOLD.format(file=shlex.quote(f"/run/hypercompose/{name}.lock"), patience_s=int(patience_s))
        with self._ssh.open(address, _COMMAND, program.encode(), b"held\n", patience_s + SLOW_HOST_S) as held:
            if not held:
                raise ProvisioningError(
                    f"{address.host}: {name}: another run has worked on it for {patience_s:.0f} s; wait for its end"
                )
            yield

    def revert(self, address: Address, step: Step) -> None:
        """Take the step back. Safe where it never ran."""
        self._forget_survey(address)
        result = self._run(address, step.revert_program(), step.timeout_s + step.lock_timeout_s)
        if result.exit_code != 0:
            raise StepFailed(_failure(address, step, "could not be taken back", result))

    def _survive(self, address: Address, step: Step, *, undo: bool) -> Result:
        """Run it; when the connection is lost, wait for the host and find out how far it came."""
        limit = step.timeout_s + step.lock_timeout_s
        try:
            return self._run(address, step.converge_program(login_key=self._ssh.public_key(), undo=undo), limit)
        except ConnectionLost as error:
            self._ssh.forget(address)
            try:
                self._ssh.wait(address, BACK_AFTER_LOSS_S)
                return self._run(address, step.converge_program(resumed=True), limit)
            except HostUnreachable as again:
                raise ConnectionLost(f"step {step.name}: {error}; {again}") from again

    def _refuse_lock_out(self, address: Address, step: Step) -> None:
        """The step may have closed the way in: knock as a new connection would, and take it back if nobody answers.

        Where even the open connection is gone, the host takes it back by itself.
        """
        if answers(address):
            self._run(address, f"systemctl -q stop {shlex.quote(f'hypercompose-undo-{step.name}.timer')}", 30)
            return
        with contextlib.suppress(HostUnreachable):
            self._run(address, step.revert_program(), step.timeout_s)
        raise StepFailed(
            f"{address.host}: step {step.name}: with it, no new SSH connection gets in any more; it was taken back "
            "again. Let the address that this machine comes from in"
        )

    def _surveyed(self, address: Address, check: str) -> _Answer | None:
        survey = self._survey(address)
        with survey.lock:
            if survey.answers is None:
                self._reach(address, survey)
                result = self._run(address, shell("survey.sh"), SURVEY_TIMEOUT_S)
                survey.answers = dict(_answers(result.stdout)) if result.exit_code == 0 else {}
            return survey.answers.pop(check, None)

    def _reach(self, address: Address, survey: _Survey) -> None:
        if survey.lost is not None:
            raise survey.lost
        try:
            self._ssh.wait(address, LOOK_DEADLINE_S)
        except HostUnreachable as error:
            survey.lost = error
            raise

    def _survey(self, address: Address) -> _Survey:
        with self._guard:
            return self._surveys.setdefault(address, _Survey())

    def _forget_survey(self, address: Address) -> None:
        with self._guard:
            self._surveys.pop(address, None)

    def _run(self, address: Address, program: str, timeout_s: float) -> Result:
        return self._ssh.run(address, _COMMAND, stdin=program.encode(), timeout_s=timeout_s)


def answers(address: Address) -> bool:
    """Whether an SSH server greets a new connection; no login, so nothing that counts as one."""
    try:
        with socket.create_connection((address.host, address.port), timeout=BANNER_TIMEOUT_S) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _answers(text: str) -> Iterator[tuple[str, _Answer]]:
    for part in text.split("\ncheck ") if text else ():
        head, *lines = part.removeprefix("check ").splitlines()
        check, code = head.split()
        out = "\n".join(line[2:] for line in lines if line.startswith("> "))
        yield check, _Answer(int(code), out, "\n".join(line[2:] for line in lines if line.startswith("! ")))


def _failure(address: Address, step: Step, what: str, said: Result | _Answer) -> str:
    if isinstance(said, Result):
        said = _Answer(said.exit_code, said.stdout, said.stderr)
    lines = step.redacted(said.err.strip() or said.out.strip()).splitlines()[-6:]
    text = f"{address.host}: step {step.name}: {what} (exit code {said.code}): {' | '.join(lines) or 'no output'}"
    if "sudo: a password is required" in said.err:
        text += f". Let {address.user} use sudo without a password there"
    return text[:1500]
