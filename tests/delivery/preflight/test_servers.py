"""Servers that are there already: how far we get, and why no further."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest

from delivery.preflight.check import Status
from delivery.preflight.servers import check_servers
from tests.delivery.preflight.scopes import scope_of
from tests.provisioning.sshd import Sshd


@dataclass
class Server:
    """What is said of a server that runs `script`."""

    sshd: Sshd
    folder: Path
    patch: pytest.MonkeyPatch

    def found(self, **changes: Any) -> dict[str, tuple[Status, str, str]]:
        """Status, detail and remedy by what was looked at."""
        key = f"{self.sshd.host_key.get_name()} {self.sshd.host_key.get_base64()}"
        server = {"name": "srv-1", "address": "127.0.0.1", "port": self.sshd.port, "host_key": key, **changes}
        scope = scope_of(self.folder, self.patch, hosts=[server])
        return {
            check.subject.removeprefix("srv-1: "): (check.status, check.detail, check.remedy)
            for check in check_servers(scope)
        }


@pytest.fixture(scope="module")
def keys() -> tuple[paramiko.PKey, paramiko.PKey]:
    return paramiko.RSAKey.generate(2048), paramiko.RSAKey.generate(2048)


@pytest.fixture
def said() -> dict[str, Any]:
    return {"code": 0, "out": None, "err": ""}


@pytest.fixture
def server(
    keys: tuple[paramiko.PKey, paramiko.PKey],
    said: dict[str, Any],
    lab_site: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Server]:
    host_key, ours = keys
    file = tmp_path / "key"
    ours.write_private_key_file(str(file))
    monkeypatch.setenv("HYPERCOMPOSE_SSH_KEY_FILE", str(file))

    def answer(command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
        out = str(int(time.time())) if said["out"] is None else said["out"]
        return said["code"], out.encode(), said["err"].encode()

    sshd = Sshd(host_key, ours, answer)
    yield Server(sshd, tmp_path, monkeypatch)
    sshd.close()


def test_a_server_that_lets_us_become_root_passes(server: Server) -> None:
    found = server.found()
    assert {status for status, _, _ in found.values()} == {Status.PASSED}
    assert list(found) == ["answers", "host key", "login", "sudo", "srv-1"]
    assert found["login"][1] == "as ops"
    assert found["srv-1"][1] == "same as here"


def test_a_clock_that_is_off_is_named(server: Server, said: dict[str, Any]) -> None:
    said["out"] = str(int(time.time()) - 3600)
    status, detail, _ = server.found()["srv-1"]
    assert status is Status.FAILED
    assert detail.endswith("s behind this machine's")
    said["out"] = "$(reboot)"
    assert server.found()["srv-1"][0] is Status.NOT_CHECKED


def test_without_sudo_the_reason_is_there(server: Server, said: dict[str, Any]) -> None:
    said |= {"code": 1, "out": "", "err": "noise\nsudo: a password is required\n"}
    found = server.found()
    assert found["login"][0] is Status.PASSED
    assert found["sudo"][:2] == (Status.FAILED, "sudo: a password is required")
    assert "NOPASSWD" in found["sudo"][2]
    assert found["srv-1"][:2] == (Status.NOT_CHECKED, "because sudo does not work")


def test_another_host_key_is_a_hard_stop(server: Server) -> None:
    other = paramiko.RSAKey.generate(2048)
    found = server.found(host_key=f"{other.get_name()} {other.get_base64()}")
    assert found["host key"][0] is Status.FAILED
    assert "find out which" in found["host key"][2]
    assert {found[what][0] for what in ("login", "sudo", "srv-1")} == {Status.NOT_CHECKED}


def test_a_key_that_is_not_let_in_is_told_from_a_wrong_host_key(server: Server, tmp_path: Path) -> None:
    paramiko.RSAKey.generate(2048).write_private_key_file(str(tmp_path / "key"))
    found = server.found(user="alice")
    assert found["host key"][0] is Status.PASSED
    assert found["login"][0] is Status.FAILED
    assert "~alice/.ssh/authorized_keys" in found["login"][2]


def test_nobody_there_ends_soon(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    found = server.found(port=port)
    assert time.monotonic() - began < 5
    assert found["answers"][0] is Status.FAILED
    assert found["answers"][2]
    assert {status for what, (status, _, _) in found.items() if what != "answers"} == {Status.NOT_CHECKED}


def test_without_a_key_only_the_greeting_is_looked_at(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERCOMPOSE_SSH_KEY_FILE")
    found = server.found()
    assert found["answers"][0] is Status.PASSED
    assert found["login"][0] is Status.NOT_CHECKED
    assert "HYPERCOMPOSE_SSH_KEY_FILE" in found["login"][2]
