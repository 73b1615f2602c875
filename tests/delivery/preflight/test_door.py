"""The way into the API: what each kind of closed door says, and what then is not known."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.preflight import door as module
from delivery.preflight.check import Status
from delivery.preflight.door import Door, knock
from delivery.preflight.site import DEPENDENT, check_site
from tests.delivery.preflight.scopes import VM, scope_of
from tests.images.registry_server import RegistryServer, serving

Knock = Callable[[dict[str, Any]], Door]


@pytest.fixture
def at(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Knock:
    monkeypatch.setattr(module, "TIMEOUT_S", (0.5, 0.5))
    monkeypatch.setenv("PROXMOX_VE_API_TOKEN", "ops@pve!lab=canary")

    def change(proxmox: dict[str, Any]) -> Door:
        content = yaml.safe_load(lab_site.read_text())
        content["proxmox"] |= proxmox
        lab_site.write_text(yaml.safe_dump(content))
        return knock(scope_of(tmp_path, monkeypatch, vms=[VM]))

    return change


def statuses(door: Door) -> list[str]:
    assert "canary" not in str(door.ladder.checks)
    return [check.status.value for check in door.ladder.checks]


def of(server: RegistryServer, folder: Path) -> dict[str, Any]:
    return {"endpoint": f"https://{server.host}", "ca": f"{folder}/ca.pem"}


def test_a_refused_token_is_the_tokens_fault_alone(at: Knock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path) as server:
        server.login = "basic"
        monkeypatch.setenv("SSL_CERT_FILE", f"{tmp_path}/ca.pem")
        door = at(of(server, tmp_path))
    assert statuses(door) == ["pass", "pass", "pass", "fail"]
    assert "PROXMOX_VE_API_TOKEN" in door.ladder.checks[3].remedy
    assert door.stopped_by == "the Proxmox API refuses the token"


def test_what_the_proxmox_provider_would_not_trust_is_told_apart(at: Knock, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.login = "basic"
        door = at(of(server, tmp_path))
    assert statuses(door)[:3] == ["pass", "pass", "fail"]
    assert "SSL_CERT_FILE" in door.ladder.checks[2].remedy


def test_without_a_token_the_way_to_it_is_checked(at: Knock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXMOX_VE_API_TOKEN")
    with serving(tmp_path) as server:
        server.login = "basic"
        door = at(of(server, tmp_path))
    assert statuses(door)[0] == "pass"
    assert statuses(door)[3] == "not checked"
    assert "PROXMOX_VE_API_TOKEN" in door.ladder.checks[3].remedy


def test_another_authority_is_named(at: Knock, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with serving(tmp_path) as server, serving(other):
        door = at(of(server, other))
    assert statuses(door) == ["pass", "fail", "not checked", "not checked"]
    assert "proxmox.ca" in door.ladder.checks[1].remedy


def test_a_server_that_is_no_proxmox_says_what_it_said(at: Knock, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        door = at(of(server, tmp_path))
    assert statuses(door) == ["fail", "not checked", "not checked", "not checked"]
    assert "404" in door.ladder.checks[0].detail


@pytest.mark.parametrize("hears", [True, False])
def test_nobody_there_and_nobody_who_speaks_end_in_time(at: Knock, hears: bool, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        if not hears:
            deaf.close()
        with serving(tmp_path):
            door = at({"endpoint": f"https://127.0.0.1:{port}", "ca": f"{tmp_path}/ca.pem"})
    assert statuses(door) == ["fail", "not checked", "not checked", "not checked"]
    assert door.ladder.checks[0].remedy


def test_a_missing_ca_and_a_token_with_a_line_end_stop_before_the_first_packet(
    at: Knock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = at({"ca": f"{tmp_path}/$(reboot).crt"})
    assert statuses(door) == ["not checked"] * 4
    assert "$(reboot).crt, which proxmox.ca names, does not exist" in door.stopped_by
    monkeypatch.setenv("PROXMOX_VE_API_TOKEN", "ops@pve!lab=canary\nX-Evil: 1")
    with serving(tmp_path) as server:
        door = at(of(server, tmp_path))
    assert set(statuses(door)) == {"not checked"}


def test_behind_a_closed_door_nothing_reads_as_passed(
    at: Knock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at({"ca": f"{tmp_path}/nope.crt"})
    checks = list(check_site(scope_of(tmp_path, monkeypatch, vms=[VM])))
    behind = {check.name: check for check in checks if check.name in DEPENDENT}
    assert set(behind) == set(DEPENDENT)
    assert {check.status for check in behind.values()} == {Status.NOT_CHECKED}
