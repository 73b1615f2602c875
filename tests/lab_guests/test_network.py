"""Commands that lay bridges and cables, and the resolver's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab import firewall, network
from lab.guests import wires
from lab.guests.wires import Wires
from lab.hypervisor import Nic
from lab.identity import Lab
from lab.machine import CommandFailed
from lab.network import Network
from lab.resolver import Resolver, dhcp_range
from lab.world import Bridge
from setup.report import SetupError

LAB = Lab("lab", Path("/srv/lab"))
RED = Bridge(name="red", cidr="10.1.0.0/24", gateway="10.1.0.1", dns=("10.1.0.1",))
MAC = "bc:24:11:00:00:01"


class Machine:
    """A machine that records `ip` commands and shows the devices it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, devices: Sequence[dict[str, Any]] = ()) -> None:
        self.lines: list[str] = []
        self.devices = list(devices)
        for module in (network, wires):
            monkeypatch.setattr(module, "ip_batch", self.lines.extend)
            monkeypatch.setattr(module, "run", lambda *command: self.lines.append(" ".join(command[1:])))
            monkeypatch.setattr(module, "devices", lambda: self.devices)
        monkeypatch.setattr(network, "allow_within", lambda *_: None)
        monkeypatch.setattr(network, "close_off", lambda *_: None)


def bridge_of_other(address: str, alias: str = "") -> dict[str, Any]:
    ip, length = address.split("/")
    known = [{"family": "inet", "local": ip, "prefixlen": int(length)}]
    return {"ifname": "br0", "ifalias": alias, "addr_info": known}


def test_a_bridge_is_made_marked_and_given_the_gateways_address(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    Network(LAB, [RED]).up()
    name = LAB.bridge_device("red", None)
    assert machine.lines == [
        f"link add {name} type bridge forward_delay 0",
        f'link set {name} alias "hypercompose.lab=lab hypercompose.lab.dir=/srv/lab"',
        f"link set {name} up",
        f"address replace 10.1.0.1/24 dev {name}",
    ]


def test_a_bridge_that_is_there_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    there = bridge_of_other("10.1.0.1/24", LAB.mark) | {"ifname": LAB.bridge_device("red", None)}
    machine = Machine(monkeypatch, [there])
    Network(LAB, [RED]).up()
    assert machine.lines == []


@pytest.mark.parametrize(
    ("alias", "named"),
    [
        ("", "network device br0 has 10.1.0.77/16"),
        (Lab("x", Path("/other")).mark, "the lab of /other has 10.1.0.77/16"),
    ],
)
def test_an_overlapping_network_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, alias: str, named: str) -> None:
    Machine(monkeypatch, [bridge_of_other("10.1.0.77/16", alias)])
    with pytest.raises(SetupError, match=rf"bridge red: 10\.1\.0\.0/24: {named}"):
        Network(LAB, [RED]).up()


def test_a_cable_goes_from_the_bridge_into_the_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    monkeypatch.setattr(wires, "run_json", lambda *_: [])
    plan = Wires(LAB, Network(LAB, []))
    plan.plug(100, 4711, [Nic(slot=1, mac=MAC.upper(), bridge="red", tag=40, link_down=True)])
    name = LAB.wire(100, 1)
    assert machine.lines[-4:] == [
        f"link add {name} type veth peer name eth1 address {MAC} netns 4711",
        f'link set {name} alias "vm=100 net1 {LAB.mark}"',
        f"link set {name} master {LAB.bridge_device('red', 40)}",
        f"link set {name} down",
    ]


@pytest.mark.parametrize(("mac", "replaced"), [(MAC, False), ("bc:24:11:00:00:99", True)])
def test_only_a_cable_with_another_mac_is_replaced(monkeypatch: pytest.MonkeyPatch, mac: str, replaced: bool) -> None:
    name = LAB.wire(100, 0)
    machine = Machine(monkeypatch, [{"ifname": name, "ifalias": f"vm=100 net0 {LAB.mark}"}])
    monkeypatch.setattr(wires, "run_json", lambda *_: [{"ifname": "eth0", "address": MAC}])
    Wires(LAB, Network(LAB, [])).plug(100, 4711, [Nic(slot=0, mac=mac, bridge="red")])
    assert (f"link delete {name}" in machine.lines) is replaced
    assert any(line.startswith(f"link add {name}") for line in machine.lines) is replaced


def test_a_cable_of_another_guest_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, [{"ifname": "hv1", "ifalias": f"vm=1001 net0 {LAB.mark}"}])
    Wires(LAB, Network(LAB, [])).unplug(100)
    assert machine.lines == []


def test_a_device_that_went_by_itself_is_removed_and_one_that_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cable = {"ifname": "hv1", "ifalias": f"vm=100 net0 {LAB.mark}"}
    listings = iter([[cable], [], [cable], [cable]])
    monkeypatch.setattr(network, "devices", lambda: next(listings))
    monkeypatch.setattr(network, "succeeds", lambda *_: False)
    network.remove_devices(LAB)
    with pytest.raises(CommandFailed, match=rf"left network devices of {LAB.directory}: hv1"):
        network.remove_devices(LAB)


def test_rules_drop_between_bridges_and_accept_within(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    monkeypatch.setattr(firewall, "run", lambda *command: commands.append(" ".join(command)))
    monkeypatch.setattr(firewall, "succeeds", lambda *_: False)
    monkeypatch.setattr(firewall, "_programs", lambda: ["iptables"])
    firewall.close_off(LAB, [8081, 5000])
    firewall.allow_within(LAB, "hc1")
    any_bridge = f"{LAB.bridge_prefix}+"
    assert f"iptables -w -A {LAB.chain} -i {any_bridge} -j DROP" in commands
    assert f"iptables -w -A {LAB.chain} -o {any_bridge} -j DROP" in commands
    assert commands[-1] == f"iptables -w -I {LAB.chain} -i hc1 -o hc1 -j ACCEPT"
    hooks = [line for line in commands if "-I FORWARD" in line or "-I INPUT" in line]
    assert any(f"-I INPUT -i {any_bridge} -p tcp -m multiport --dports 5000,8081" in hook for hook in hooks)
    assert len(hooks) == 3 and all(LAB.mark in hook for hook in hooks)


def test_dhcp_hands_out_the_upper_half() -> None:
    assert dhcp_range("10.1.0.0/24") == ("10.1.0.128", "10.1.0.254")
    assert dhcp_range("10.1.0.0/16") == ("10.1.128.0", "10.1.255.254")


def test_the_resolver_asks_nobody_and_serves_each_bridge() -> None:
    lines = Resolver(LAB, [RED], "lab.internal").configuration()
    assert {"no-resolv", "no-hosts", "address=/#/", f"interface={LAB.bridge_prefix}*"} <= set(lines)
    assert "dhcp-range=set:red,10.1.0.128,10.1.0.254,255.255.255.0,12h" in lines
    assert "dhcp-option=tag:red,option:router,10.1.0.1" in lines
    assert not any(line.startswith("server=") for line in lines)


def test_services_have_a_short_name_and_a_long_one() -> None:
    lines = Resolver(LAB, [RED], "lab.internal", {"registry": "10.1.0.1"}).configuration()
    assert "host-record=registry.lab.internal,registry,10.1.0.1" in lines


def test_a_name_is_published_once_and_forgotten(tmp_path: Path) -> None:
    (tmp_path / "dns" / "names").mkdir(parents=True)
    resolver = Resolver(Lab("lab", tmp_path), [RED], "lab.internal")
    resolver.publish("web", 100, ["10.1.0.5/24", "10.2.0.5/24"])
    entry = tmp_path / "dns" / "names" / "100"
    assert entry.read_text() == "10.1.0.5 web.lab.internal web\n10.2.0.5 web.lab.internal web\n"
    resolver.forget(100)
    resolver.forget(100)
    assert not entry.exists()


def test_opening_up_removes_every_rule_of_the_site_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = f'-A FORWARD -m comment --comment "{LAB.mark}" -j {LAB.chain}'
    older = ours.replace(str(LAB.directory), "/gone/with a space")
    others = ["-P FORWARD DROP", "-A FORWARD -j DOCKER-USER", ours.replace(f"={LAB.site} ", f"={LAB.site}2 ")]
    commands: list[str] = []

    def run(*command: str) -> str:
        commands.append(" ".join(command))
        return "\n".join([*others, ours, older]) if command[2:] == ("-S", "FORWARD") else ""

    monkeypatch.setattr(firewall, "run", run)
    monkeypatch.setattr(firewall, "succeeds", lambda *command: run(*command) == "yes")
    monkeypatch.setattr(firewall, "_programs", lambda: ["iptables"])
    firewall.open_up(LAB)
    removed = [command for command in commands if " -D " in command]
    assert len(removed) == 2
    assert all(f"={LAB.site} " in command for command in removed)
