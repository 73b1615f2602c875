"""What the site itself refuses, seen at preview, before anything is made."""

import pytest

from tests.lab.checkout import NET, Checkout

pytestmark = pytest.mark.lab


def test_a_wrong_token_is_named_with_where_it_comes_from(checkout: Checkout) -> None:
    checkout.make("env", stack="dev")
    refused = checkout.pulumi("preview", stack="dev", env={"PROXMOX_VE_API_TOKEN": "hypercompose@pve!lab=wrong"})
    assert refused.code != 0
    assert "refuses the API token" in refused.text
    assert "check PROXMOX_VE_API_TOKEN" in refused.text


def test_every_missing_permission_is_named(checkout: Checkout) -> None:
    token = checkout.token("auditor@pve!lab")
    refused = checkout.pulumi("preview", stack="dev", env={"PROXMOX_VE_API_TOKEN": token})
    assert refused.code != 0
    for privilege, path in (
        ("VM.Allocate", "/vms/3001"),
        ("VM.Clone", "/vms/9000"),
        ("Datastore.AllocateTemplate", "/storage/local"),
    ):
        assert f"the API token lacks {privilege} on {path}" in refused.text
    assert token.partition("=")[2] not in refused.text


def test_what_is_taken_or_missing_is_named(checkout: Checkout) -> None:
    with checkout.settings("dev") as config:
        network = config["hypercompose:vms"][0]["networks"][0]
        whole, network["address"] = dict(network), f"{NET}.30.1/24"
    refused = checkout.pulumi("preview", stack="dev")
    assert "gateway or name server" in refused.text
    with checkout.settings("dev") as config:
        config["hypercompose:vms"][0]["networks"][0] = whole
        config["hypercompose:vms"][0]["memory_mib"] = -1
    refused = checkout.pulumi("preview", stack="dev")
    assert "vms[0].memory_mib: -1" in refused.text
    assert "Traceback" not in refused.text
    with checkout.settings("dev") as config:
        config["hypercompose:vms"][0]["memory_mib"] = 1024


def test_a_create_that_fails_after_the_clone_is_refused_by_plain_up_and_mended_by_make_up(checkout: Checkout) -> None:
    """Recorded as fault-config-put-locked: the provider leaves the VM in the state, half made."""
    with checkout.fault(path="/qemu/3001/config$", method="PUT", status=500, reason="VM is locked (backup)"):
        failed = checkout.make("up", stack="dev")
    assert failed.code != 0
    assert "VM is locked (backup)" in failed.text
    refused = checkout.pulumi("up", "--yes", stack="dev")
    assert refused.code != 0
    assert "Type: make recover STACK=dev" in refused.text
    mended = checkout.make("up", stack="dev")
    assert mended.code == 0, mended.why
    host = checkout.hosts("dev")["vm-dev-app-1"]
    assert checkout.ssh(host, "hostname").text.strip() == "vm-dev-app-1"
    assert checkout.preview(stack="dev") == {}


def test_an_update_that_fails_costs_nothing_and_the_next_run_does_it(checkout: Checkout) -> None:
    before = checkout.hosts("dev")["vm-dev-app-1"]
    with checkout.settings("dev") as config:
        config["hypercompose:vms"][0]["memory_mib"] = 1536
    with checkout.fault(path="/qemu/3001/config$", method="PUT", status=500, reason="VM is locked (backup)"):
        assert checkout.make("up", stack="dev").code != 0
    mended = checkout.make("up", stack="dev")
    assert mended.code == 0, mended.why
    assert "half made" not in mended.text
    assert checkout.hosts("dev")["vm-dev-app-1"] == before  # the same VM: a new one would have made another key
    assert checkout.api().get("/nodes/pve1/qemu/3001/config")["memory"] == "1536"
