"""First contact, against scripted hosts."""

from collections.abc import Iterator
from typing import Any

import pytest

from provisioning import first_contact
from provisioning.errors import ProvisioningError
from provisioning.first_contact import MAKE_FINAL_KEY, RETIRE_ONE_TIME_KEY, finish_first_boot, retire_one_time_key
from provisioning.host import Address, HostKeyMismatch, HostUnreachable, Result

ONE_TIME = Address(host="10.0.0.9", user="ops", host_key="ecdsa-sha2-nistp256 ONE")
FINAL = "ssh-ed25519 FINAL"
DONE = '{"status": "done"}'


class Host:
    """Answers the commands of first contact; fails on any other. `waits` are the outcomes of each wait for SSH."""

    def __init__(self, *waits: Exception | None, status: str = DONE, made: int = 0) -> None:
        self.waits: Iterator[Exception | None] = iter(waits)
        self.status, self.made = status, made
        self.log: list[str] = []

    def wait(self, address: Address, deadline_s: float) -> None:
        self.log.append(f"wait {address.host_key}")
        if outcome := next(self.waits, None):
            raise outcome

    def run(self, address: Address, command: str, *, timeout_s: float = 0) -> Result:
        known = {MAKE_FINAL_KEY: "make", RETIRE_ONE_TIME_KEY: "retire"}
        if "cloud-init status --wait" in command:
            return Result(0, self.status, "")
        self.log.append(f"{known[command]} under {address.host_key}")
        return Result(self.made, FINAL + "\n", "no space left on device")

    def forget(self, address: Address) -> None:
        self.log.append("forget")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_contact, "RELOAD_PAUSE_S", 0.0)


def finish(host: Any) -> str:
    return finish_first_boot(host, ONE_TIME, 60)


def test_the_host_makes_its_key_under_the_one_time_key_and_proves_it() -> None:
    host = Host()
    assert finish(host) == FINAL
    assert host.log == [f"wait {ONE_TIME.host_key}", f"make under {ONE_TIME.host_key}", f"wait {FINAL}"]


def test_sshd_may_take_a_moment_to_load_the_new_key() -> None:
    assert finish(Host(None, HostKeyMismatch("not yet"), HostKeyMismatch("not yet"))) == FINAL


def test_a_key_that_never_comes_stays_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_contact, "RELOAD_DEADLINE_S", 0.0)
    with pytest.raises(HostKeyMismatch):
        finish(Host(None, HostKeyMismatch("another machine")))


def test_a_wrong_one_time_key_is_not_waited_out() -> None:
    host = Host(HostKeyMismatch("another machine"))
    with pytest.raises(HostKeyMismatch):
        finish(host)
    assert len(host.log) == 1


@pytest.mark.parametrize("status", ['{"status": "error", "errors": ["no user"]}', "", "[]", '{"status": "running"}'])
def test_a_first_boot_that_did_not_end_well_is_named(status: str) -> None:
    with pytest.raises(ProvisioningError, match=r"cloud-init ended as .*see /var/log/cloud-init.log"):
        finish(Host(status=status))


@pytest.mark.parametrize("status", ["done", "disabled"])
def test_a_degraded_or_disabled_cloud_init_is_an_end(status: str) -> None:
    assert finish(Host(status=f'{{"status": "{status}", "extended_status": "degraded {status}"}}')) == FINAL


def test_a_command_that_fails_names_host_code_and_last_lines() -> None:
    with pytest.raises(ProvisioningError, match=r"10.0.0.9: could not make .*exit code 1: no space left on device"):
        finish(Host(made=1))


def test_retiring_proves_the_final_key_on_a_new_connection() -> None:
    host: Any = Host()
    retire_one_time_key(host, Address(host="10.0.0.9", user="ops", host_key=FINAL))
    assert host.log == [f"retire under {FINAL}", "forget", f"wait {FINAL}"]


def test_a_host_that_never_answers_is_named() -> None:
    with pytest.raises(HostUnreachable):
        finish(Host(HostUnreachable("10.0.0.9: timed out")))
