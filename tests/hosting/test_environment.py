"""What an environment's stack tells of its hosts, asked of the engine: by a program in its place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hosting import environment as module
from hosting.environment import Environment, EnvironmentAway, read_environment
from hosting.hosts import HostOffer
from tests.contract.examples import outputs
from tests.provisioning.portainer.answering import certificate_of

CERTIFICATE = certificate_of("one")[0]
KEY = "ptr_Canary-key"
OFFER = {
    "address": "10.77.0.11", "first_port": 20000.0, "last_port": 20099.0, "memory_mib": 4096.0, "networks": 60.0,
    "is_open": True, "portainer": "https://10.77.0.11:9443", "environment_id": 3.0, "certificate": CERTIFICATE,
    "data": "volume-1",
}  # fmt: skip
HOST = "srv $(reboot)"


def told(**changes: Any) -> dict[str, Any]:
    return outputs(hosting={HOST: OFFER}, hosting_keys={HOST: KEY}, **changes)


class Pulumi:
    """A program that says what a test wants, and notes how it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, out: str, err: str = "", code: int = 0, seconds: float = 0) -> Pulumi:
        (self.folder / "out").write_text(out)
        (self.folder / "err").write_text(err)
        lines = [
            "#!/bin/sh",
            f'printf "%s\\n" "$@" >{self.folder}/asked; env >{self.folder}/env',
            f"cat {self.folder}/out; cat {self.folder}/err >&2",
            f"exec sleep {seconds}" if seconds else f"exit {code}",
        ]
        (self.folder / "pulumi").write_text("\n".join(lines))
        (self.folder / "pulumi").chmod(0o755)
        return self

    def read(self, name: str = "lab", **more: str) -> Environment:
        return read_environment(name, {**os.environ, **more})

    def fails(self, name: str = "lab") -> str:
        with pytest.raises(EnvironmentAway) as raised:
            self.read(name)
        assert KEY not in str(raised.value)
        return str(raised.value)


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Pulumi(tmp_path)


def test_it_is_asked_of_the_engine_with_its_secrets_and_without_the_settings_of_another(pulumi: Pulumi) -> None:
    found = pulumi.says(json.dumps(told())).read("dev", PULUMI_OPTION_CONFIG_FILE="x", PULUMI_BACKEND_URL="file:///s")
    asked = (pulumi.folder / "asked").read_text().split()
    assert asked == "stack output --json --show-secrets --stack dev".split()
    env = (pulumi.folder / "env").read_text()
    assert "PULUMI_OPTION_CONFIG_FILE" not in env and "PULUMI_BACKEND_URL=file:///s" in env
    assert found.name == "dev" and KEY not in repr(found)


def test_its_hosts_are_offers_with_whole_numbers(pulumi: Pulumi) -> None:
    assert pulumi.says(json.dumps(told())).read("dev").offers() == [
        HostOffer(
            environment="dev",
            host=HOST,
            address="10.77.0.11",
            first_port=20000,
            last_port=20099,
            memory_mib=4096,
            networks=60,
            is_open=True,
        )
    ]


def test_an_environment_without_hosts_for_instances_offers_none(pulumi: Pulumi) -> None:
    assert pulumi.says(json.dumps(outputs())).read().offers() == []


def test_a_host_is_reached_by_its_address_its_key_and_its_portainer(pulumi: Pulumi) -> None:
    found = pulumi.says(json.dumps(told())).read()
    address = found.address(HOST)
    assert (address.host, address.port, address.user, address.host_key) == (
        "10.77.0.11",
        22,
        "ops",
        "ssh-ed25519 AAAAC3Nz",
    )
    portainer, number = found.portainer(HOST)
    assert (portainer.place.url, number) == ("https://10.77.0.11:9443", 3)
    assert KEY not in repr(portainer) and KEY not in repr(portainer.place)


@pytest.mark.parametrize("name", ["vm-lab-app-1", "nowhere", "$(reboot)"])
def test_a_host_that_takes_no_instances_is_told_with_what_to_do(pulumi: Pulumi, name: str) -> None:
    found = pulumi.says(json.dumps(told())).read("dev")
    for what in (found.portainer, found.address):
        with pytest.raises(EnvironmentAway, match=r"takes no instances in dev any more; name it in"):
            what(name)


@pytest.mark.parametrize("missing", ["hosts", "hosting_keys"])
def test_a_host_that_is_told_of_by_half_takes_none_either(pulumi: Pulumi, missing: str) -> None:
    half = told()
    half[missing] = {}
    found = pulumi.says(json.dumps(half)).read()
    with pytest.raises(EnvironmentAway, match="takes no instances"):
        found.portainer(HOST)


def test_what_the_engine_says_is_passed_on_in_one_line(pulumi: Pulumi) -> None:
    said = pulumi.says("", "error: no stack\n named 'dev' found\n", 255).fails("dev")
    expected = "its outputs cannot be read: error: no stack named 'dev' found; `make up STACK=dev`"
    assert said == f"environment dev: {expected}"


@pytest.mark.parametrize("out", ["", "half {", f'{{"hosting_keys": {{"a": "{KEY}"', "null", "[]", "{}"])
def test_what_is_no_contract_is_told_without_what_it_holds(pulumi: Pulumi, out: str) -> None:
    assert pulumi.says(out).fails("dev").startswith("environment dev: ")


def test_outputs_that_break_the_contract_are_told_by_field_and_without_values(pulumi: Pulumi) -> None:
    said = pulumi.says(json.dumps(told(site=[KEY]))).fails("dev")
    assert "site" in said and "`make up STACK=dev`" in said


def test_an_engine_that_hangs_or_is_not_there_is_told(pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)
    assert "(TimeoutExpired)" in pulumi.says("{}", seconds=5).fails()
    monkeypatch.setenv("PATH", "/nowhere")
    assert "(FileNotFoundError); run this by `make`" in pulumi.fails()
