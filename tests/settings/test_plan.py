"""From settings and site to exact VMs."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import SettingsError, load_program
from settings.site import CHECKOUT
from settings.vm_spec import mac_address

GROUP: dict[str, Any] = {
    "prefix": "vm-app",
    "first_id": 1100,
    "networks": [{"bridge": "vmbr0", "address": "10.77.0.11/24"}],
}


def program(*groups: dict[str, Any], **other: Any) -> Any:
    raw = {"hypercompose:site": "lab", "hypercompose:vms": json.dumps(groups)}
    return load_program("dev", raw | {f"hypercompose:{k}": json.dumps(v) for k, v in other.items()})


def refusal(*groups: dict[str, Any], **other: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        program(*groups, **other)
    return str(caught.value)


def test_defaults_are_those_of_the_requirements() -> None:
    (vm,) = program(GROUP).vms
    assert (vm.name, vm.cores, vm.cpu_type, vm.memory_mib, vm.disk_gib) == ("vm-app-1", 3, "x86-64-v3", 4096, 50)
    assert (vm.node, vm.template_id, vm.full_clone, vm.on_boot, vm.protection) == ("pve1", 9000, True, True, False)


def test_a_group_counts_ids_names_and_addresses_up() -> None:
    vms = program({**GROUP, "count": 3}).vms
    assert [(v.name, v.vm_id, str(v.nics[0].address)) for v in vms] == [
        ("vm-app-1", 1100, "10.77.0.11/24"),
        ("vm-app-2", 1101, "10.77.0.12/24"),
        ("vm-app-3", 1102, "10.77.0.13/24"),
    ]


def test_a_single_vm_may_have_a_plain_name() -> None:
    group = {k: v for k, v in GROUP.items() if k != "prefix"}
    assert program({**group, "name": "vm-test"}).vms[0].name == "vm-test"
    assert "`prefix` instead of `name`" in refusal({**group, "name": "vm-test", "count": 2})


def test_an_override_changes_one_vm_only() -> None:
    vms = program({**GROUP, "count": 2, "overrides": {"2": {"memory_mib": 8192, "node": "pve2", "id": 1500}}}).vms
    assert [(v.memory_mib, v.node, v.vm_id, v.template_id) for v in vms] == [
        (4096, "pve1", 1100, 9000),
        (8192, "pve2", 1500, 9010),
    ]


def test_the_first_network_gives_gateway_and_name_servers() -> None:
    networks = [*GROUP["networks"], {"bridge": "bridge-dev", "address": "10.77.30.9/24"}]
    (vm,) = program({**GROUP, "networks": networks}).vms
    assert (vm.nics[0].gateway, vm.nics[1].gateway, vm.dns) == ("10.77.0.1", None, ("10.77.0.1",))


def test_a_mac_depends_on_site_id_and_slot_and_nothing_else() -> None:
    assert mac_address("lab", 1100, 0) == mac_address("lab", 1100, 0)
    assert len({mac_address(site, vm, slot) for site in "ab" for vm in (100, 101) for slot in (0, 1)}) == 8
    assert mac_address("lab", 1100, 0).startswith("BC:24:11:")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"memory_mib": -1}, ["vms[0].memory_mib: -1", "greater than or equal to 128"]),
        ({"memory_mb": 1}, ["vms[0].memory_mb: unknown setting", "did you mean `memory_mib`?"]),
        ({"node": "pve9"}, ["vms[0].node", '"pve9"', "one of pve1, pve2"]),
        ({"template": "rocky-8"}, ["vms[0].template", "debian-13, rocky-9", "make template"]),
        ({"networks": [{"bridge": "vmbr9"}]}, ["vms[0].networks[0].bridge", '"vmbr9"', "vmbr0"]),
        ({"networks": [{"bridge": "vmbr0", "address": "10.9.0.5/24"}]}, ["networks[0].address", "inside 10.77.0.0/24"]),
        (
            {"networks": [{"bridge": "vmbr0", "address": "10.77.0.5/16"}]},
            ["networks[0].address", "inside 10.77.0.0/24"],
        ),
        ({"networks": [{"bridge": "vmbr0", "address": "10.77.0.1/24"}]}, ["gateway or name server"]),
        ({"networks": [{"bridge": "vmbr0", "address": "10.77.0.255/24"}]}, ["a host address"]),
        ({"networks": [{"bridge": "vmbr0", "address": "nonsense"}]}, ["vms[0].networks[0].address", "nonsense"]),
        ({"networks": [{"bridge": "vmbr0", "address": "10.77.0.5/24", "gateway": "10.9.9.9"}]}, ["[0].gateway"]),
        ({"networks": []}, ["vms[0].networks", "at least 1"]),
        ({"first_id": 99}, ["vms[0].first_id: 99", "greater than or equal to 100"]),
        ({"prefix": "vm app; $(reboot)"}, ["vms[0].prefix", "$(reboot)"]),
        ({"tags": ["Ä;x"]}, ["vms[0].tags", "lower-case"]),
        ({"overrides": {"3": {"cores": 1}}}, ["vms[0].overrides.3", "a VM number from 1 to 1"]),
        (
            {"data_disks": [{"name": "d", "slot": 1, "size_gib": 5, "mount": "/srv/d"}]},
            ["vms[0].data_first_id: missing", "1600"],
        ),
        (
            {"data_first_id": 1600, "data_disks": [{"name": "d", "slot": 1, "size_gib": 5, "mount": "/etc"}]},
            ["data_disks.mount", "a directory of its own"],
        ),
        (
            {"data_first_id": 1600, "data_disks": [{"name": "d", "slot": 1, "size_gib": 5, "mount": "/srv/$(reboot)"}]},
            ["data_disks[0].mount"],
        ),
    ],
)
def test_bad_input_names_setting_expectation_and_remedy(change: dict[str, Any], parts: list[str]) -> None:
    text = refusal({**GROUP, **change})
    assert text.startswith("Pulumi.dev.yaml: ")
    for part in parts:
        assert part in text


def test_a_missing_setting_says_what_it_is_for() -> None:
    text = refusal({k: v for k, v in GROUP.items() if k != "first_id"})
    assert "vms[0].first_id: missing, expected Proxmox VM id of the first VM" in text


def test_every_problem_is_reported_at_once() -> None:
    bad = {**GROUP, "node": "pve9", "template": "rocky-8", "networks": [{"bridge": "vmbr9"}]}
    assert len(refusal(bad).splitlines()) == 3


def test_ids_names_and_addresses_are_unique_in_a_stack() -> None:
    text = refusal(GROUP, GROUP)
    for what in ("VM id 1100", "name vm-app-1", "address 10.77.0.11"):
        assert f"vms: {what} is used 2 times" in text


def test_a_misspelt_key_of_the_stack_is_found() -> None:
    assert "vmss: unknown setting; did you mean `vms`?" in refusal(vmss=[])


def test_an_owned_bridge_counts_as_a_bridge() -> None:
    networks = [{"bridge": "br_own", "address": "10.99.0.2/24"}]
    owned = [{"name": "br_own", "address": "10.99.0.1/24"}]
    result = program({**GROUP, "networks": networks}, bridges=owned)
    assert result.vms[0].nics[0].gateway == "10.99.0.1"
    assert result.owned_bridges()[0].node == "pve1"


@pytest.mark.parametrize(
    ("key", "device"), [("bridges", {"name": "br1"}), ("vlans", {"name": "eno1.20"})], ids=["bridge", "vlan"]
)
def test_an_owned_device_is_on_a_node_of_the_site(key: str, device: dict[str, str]) -> None:
    assert f"{key}[0].node" in refusal(GROUP, **{key: [{**device, "node": "pve9"}]})


@pytest.mark.parametrize("name", ["eno1", "eno1.0", "eno1.20; reboot", "averylongname.20"])
def test_a_vlan_device_is_called_as_linux_calls_it(name: str) -> None:
    assert "vlans[0].name" in refusal(GROUP, vlans=[{"name": name}])


def test_a_snippet_needs_a_storage_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (CHECKOUT / "sites" / "lab.yaml").read_text()
    (tmp_path / "lab.yaml").write_text(text.replace("    snippets: local\n", ""))
    monkeypatch.setenv("HYPERCOMPOSE_SITES", str(tmp_path))
    assert "proxmox.storages.snippets" in refusal({**GROUP, "host_key": "snippet"})


def test_derived_settings_serve_their_own_stack_only() -> None:
    raw = {"hypercompose:site": "lab", "hypercompose:stack": "acceptance"}
    with pytest.raises(SettingsError, match="those of stack acceptance"):
        load_program("dev", raw)
    assert load_program("acceptance", raw).stack == "acceptance"


def test_an_owned_bridge_is_only_on_its_node() -> None:
    networks = [{"bridge": "br_own", "address": "10.99.0.2/24"}]
    owned = [{"name": "br_own", "address": "10.99.0.1/24", "node": "pve2"}]
    assert "a bridge on node pve1" in refusal({**GROUP, "networks": networks}, bridges=owned)


@pytest.mark.parametrize("stack", ["lab", "acceptance", "integration", "dev", "test"])
def test_the_stacks_in_the_repository_are_valid_on_the_lab(
    stack: str, lab_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCOMPOSE_SITE", "lab")
    config = yaml.safe_load((CHECKOUT / f"Pulumi.{stack}.yaml").read_text())["config"]
    raw = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
    found = load_program(stack, raw)
    vms = found.vms
    assert all(host.baseline and host.docker for host in found.hosts)
    expected = {
        "acceptance": ("vm-acceptance-app-1", 4096, "bridge-acceptance"),
        "integration": ("vm-integration-app-1", 3072, "bridge-integration"),
        "test": ("vm-test", 4096, "bridge-test"),
    }
    if stack in expected:
        assert (vms[0].name, vms[0].memory_mib, vms[0].nics[0].bridge) == expected[stack]
    assert vms
