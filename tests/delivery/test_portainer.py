"""Portainer's backup: which server, with which password, into which file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from delivery import portainer as module
from delivery.portainer import PASSWORD_VARIABLE, main, servers
from provisioning.errors import ProvisioningError
from provisioning.host import Address, Result
from provisioning.portainer.api import Place
from provisioning.portainer.backup import restore

PASSWORD = "twelve letters and more"
PLACE = {"host": "10.0.0.9", "port": 22, "user": "ops", "host_key": "ssh-ed25519 AAAA"}


def secret(text: str) -> dict[str, str]:
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(text)}


def resources(host: str) -> list[dict[str, Any]]:
    above = "urn:pulumi:dev::hypercompose::hypercompose:portainer:PortainerServer$"
    told = {"url": "https://10.0.0.9:9443", "certificate": "PEM", "apiKey": secret("ptr_1")}
    return [
        {
            "type": module.SERVER,
            "urn": f"{above}{module.SERVER}::{host}-portainer-server",
            "inputs": {"connection": PLACE},
        },
        {"type": module.ACCESS, "urn": f"{above}{module.ACCESS}::{host}-portainer-access", "outputs": told},
    ]


def export(*hosts: str) -> dict[str, Any]:
    return {"deployment": {"resources": [one for host in hosts for one in resources(host)]}}


def run(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], *arguments: str, password: str = PASSWORD) -> int:
    monkeypatch.setenv(PASSWORD_VARIABLE, password)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(found)))
    return main(["--stack", "dev", *arguments])


def test_a_state_tells_each_server_with_certificate_key_and_host() -> None:
    found = servers(export("vm-1", "vm-2"))
    assert sorted(found) == ["vm-1", "vm-2"]
    assert found["vm-1"].place == Place(url="https://10.0.0.9:9443", certificate="PEM")
    assert (found["vm-1"].api_key, found["vm-1"].address.host) == ("ptr_1", "10.0.0.9")


def test_a_backup_is_written_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "Portainer", lambda place, api_key: None)
    monkeypatch.setattr(module, "backup", lambda server, password: b"AES256-GCM" + password.encode())
    assert run(monkeypatch, export("vm-1"), "backup", "--folder", str(tmp_path / "kept")) == 0
    (file,) = (tmp_path / "kept").iterdir()
    assert file.name.startswith("dev-vm-1-")
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
    assert str(file) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("hosts", "arguments", "told"),
    [
        (["vm-1", "vm-2"], ["backup", "--folder", "x"], "HOST: not given, expected a host with Portainer: vm-1, vm-2"),
        (["vm-1"], ["--host", "vm-3", "backup", "--folder", "x"], "HOST: vm-3, expected a host with Portainer: vm-1"),
        ([], ["backup", "--folder", "x"], "HOST: not given, expected a host with Portainer: none; `make up` makes it"),
        (["vm-1"], ["restore"], "FILE: not given, expected a file that `make portainer-backup` has written"),
        (["vm-1"], ["restore", "--file", "/nowhere"], "FILE: /nowhere: No such file or directory"),
        (["vm-1"], ["restore", "--file", __file__], "no encrypted backup of Portainer's"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    hosts: list[str],
    arguments: list[str],
    told: str,
) -> None:
    assert run(monkeypatch, export(*hosts), *arguments) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("password", "told"), [("", "not set"), ("short", "too short")])
def test_a_password_that_protects_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password: str, told: str
) -> None:
    assert run(monkeypatch, export("vm-1"), "backup", "--folder", "x", password=password) == 1
    assert f"hypercompose:portainer_backup_password: {told}" in capsys.readouterr().err


class Host:
    """Answers what it is told to, and keeps the program."""

    def __init__(self, result: Result) -> None:
        self.result, self.program = result, ""

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        self.program = program
        return self.result


def test_a_restore_tells_where_the_data_before_are() -> None:
    host = Host(Result(0, "/var/lib/hypercompose/portainer/x.tar\n", ""))
    address = servers(export("vm-1"))["vm-1"].address
    assert restore(host, address, b"AES256-GCM...", PASSWORD) == "/var/lib/hypercompose/portainer/x.tar"  # type: ignore[arg-type]
    assert "archive=QUVTMjU2LUdDTS4uLg==" in host.program


def test_a_restore_that_fails_says_why_without_the_password() -> None:
    host = Host(Result(1, "", f"Portainer said: no {PASSWORD}\n"))
    with pytest.raises(ProvisioningError, match=r"10\.0\.0\.9: the backup was not restored: Portainer said: no \*\*\*"):
        restore(host, servers(export("vm-1"))["vm-1"].address, b"AES256-GCM", PASSWORD)  # type: ignore[arg-type]
