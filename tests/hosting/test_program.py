"""The program of one instance against an engine that records: what is declared, where, and what of it is secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from hosting.order import Order
from hosting.program import declare
from settings import load_site
from settings.site import Site
from tests.components import recording as engine
from tests.components.recording import Recording, record
from tests.hosting.orders import order
from tests.settings.conftest import lab_site

__all__ = ["lab_site"]
KEY = "ptr_Canary-key"
MADE_UP = "Canary-made-up"
DIGEST = f"sha256:{'0f' * 32}"
HOST = {"address": "10.0.0.9", "port": 22.0, "user": "ops", "host_key": "ssh-ed25519 AAAA", "os": "linux"}
OFFER = {
    "address": "10.0.0.9", "first_port": 20000.0, "last_port": 20099.0, "memory_mib": 4096.0, "networks": 60.0,
    "is_open": True, "portainer": "https://10.0.0.9:9443", "environment_id": 3.0, "certificate": "-----CERT-----",
    "data": "volume-1",
}  # fmt: skip
TOLD: dict[str, Any] = {"hosts": {"srv": HOST}, "hosting": {"srv": OFFER}, "hosting_keys": {"srv": KEY}}


@pytest.fixture
def site(lab_site: Path) -> Site:
    return load_site("lab")


class Declared:
    """Registrations and exports of one run."""

    def __init__(self, recording: Recording, kinds: list[str], exports: dict[str, Any]) -> None:
        self.inputs, self.types, self.requests = recording.inputs, recording.types, recording.requests
        self.kinds = kinds
        self.exports = {name: value for name, (value, _) in exports.items()}
        self.secret = {name for name, (_, is_secret) in exports.items() if is_secret}

    def of_type(self, kind: str) -> dict[str, Any]:
        """Inputs by name."""
        return {name: self.inputs[name] for name, found in self.types.items() if found == kind}


@pytest.fixture
def declared(site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(wanted: Order, told: dict[str, Any] = TOLD) -> Declared:
        outputs = {
            "pulumi:pulumi:StackReference": {"outputs": told, "secretOutputNames": ["hosting_keys"]},
            "hypercompose:secret:Password": {"value": MADE_UP},
            "hypercompose:portainer:Stack": {"stackId": 7, "running": {"web": f"r/web@{DIGEST}"}, "runningCommit": ""},
        }
        monkeypatch.setattr(engine, "OUTPUTS", outputs)
        exports: dict[str, pulumi.Output[Any]] = {}
        kinds, register = list[str](), engine._Monitor.RegisterResource

        def registered(self: engine._Monitor, request: Any) -> Any:
            kinds.append(request.type)
            return register(self, request)

        monkeypatch.setattr(engine._Monitor, "RegisterResource", registered)
        monkeypatch.setattr(
            pulumi, "export", lambda name, value: exports.update({name: pulumi.Output.from_input(value)})
        )

        def program() -> pulumi.Output[Any]:
            declare(wanted, site)
            pairs = {
                name: pulumi.Output.all(pulumi.Output.unsecret(out), out.is_secret()) for name, out in exports.items()
            }
            return pulumi.Output.all(**pairs)

        recording, found = record(program)
        return Declared(recording, kinds, found)

    return run


def test_an_odoo_is_a_component_with_a_stack_and_its_secrets(declared: Any) -> None:
    found = declared(order("odoo"))
    assert found.types["environment"] == "pulumi:pulumi:StackReference"
    assert found.inputs["environment"]["name"] == "organization/hypercompose/dev"
    assert found.requests["i-shop"].type == "hypercompose:portainer:Stack"
    assert {"hypercompose:product:OdooInstance", "hypercompose:portainer:PortainerStack"} <= set(found.kinds)
    assert set(found.of_type("hypercompose:secret:Password")) == {
        "i-shop.odoo_db_password",
        "i-shop.odoo_admin_password",
    }


def test_an_nginx_is_a_component_without_secrets(declared: Any) -> None:
    found = declared(order("nginx"))
    assert "hypercompose:product:ProductInstance" in found.kinds
    assert "hypercompose:secret:Password" not in found.kinds
    assert found.exports["secrets"] == {} and found.exports["urls"] == {"web": "http://10.0.0.9:20000"}


def test_its_stack_goes_to_the_portainer_and_the_host_that_the_environment_tells_of(declared: Any) -> None:
    (stack,) = declared(order("odoo")).of_type("hypercompose:portainer:Stack").values()
    assert (stack["environmentId"], stack["name"], stack["owner"]) == (3, "i-shop", "lab/dev/i-shop")
    assert stack["server"]["value"] == {
        "url": "https://10.0.0.9:9443",
        "certificate": "-----CERT-----",
        "apiKey": KEY,
        "data": "volume-1",
    }
    assert stack["connection"]["host"] == "10.0.0.9" and stack["connection"]["port"] == 22
    assert stack["run"] == "started" and stack["keepVolumes"] is False and stack["adopt"] is False


def test_it_tells_addresses_images_and_where_it_is(declared: Any) -> None:
    found = declared(order("odoo"))
    assert found.exports["urls"] == {"web": "http://10.0.0.9:20000", "websocket": "http://10.0.0.9:20001"}
    assert found.exports["images"] == {"web": f"r/web@{DIGEST}"}
    assert (found.exports["host"], found.exports["address"]) == ("srv", "10.0.0.9")


def test_secrets_stay_secret_and_nothing_else_is(declared: Any) -> None:
    found = declared(order("odoo"))
    assert found.secret == {"secrets"}
    assert found.exports["secrets"] == {"odoo_db_password": MADE_UP, "odoo_admin_password": MADE_UP}


def test_neither_key_nor_passwords_are_in_anything_that_a_preview_shows(declared: Any) -> None:
    found = declared(order("odoo"))
    (stack,) = found.of_type("hypercompose:portainer:Stack").values()
    assert KEY not in stack["inline"] and MADE_UP not in stack["inline"]
    assert KEY not in json.dumps(stack["env"]) and MADE_UP not in json.dumps(stack["env"])
    assert stack["server"][rpc._special_sig_key] == rpc._special_secret_sig
    (files,) = found.of_type("hypercompose:host:SecretFiles").values()
    assert files["files"][rpc._special_sig_key] == rpc._special_secret_sig


@pytest.mark.parametrize("missing", ["hosts", "hosting", "hosting_keys"])
@pytest.mark.parametrize("how", ["other host", "nothing"])
def test_a_host_that_the_environment_does_not_tell_of_is_one_sentence(declared: Any, missing: str, how: str) -> None:
    told = {**TOLD, missing: {"other": TOLD[missing]["srv"]}}
    if how == "nothing":
        del told[missing]
    with pytest.raises(pulumi.RunError) as raised:
        declared(order(), told)
    said = str(raised.value)
    assert said.startswith("host: 'srv', expected one that takes instances") and "\n" not in said and KEY not in said
