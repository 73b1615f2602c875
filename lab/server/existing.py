"""`python -m lab server`: the existing server, made and started where it is not there or off."""

from __future__ import annotations

import ipaddress
import json
import time
from dataclasses import dataclass
from pathlib import Path

import docker
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.guests import Guests
from lab.guests.files import inside
from lab.guests.power import pid_of
from lab.hypervisor import Machine, Nic
from lab.images.build import ensure_images
from lab.keys import openssh_pair
from lab.network import Network, gateway_interface
from lab.server.seed import seed
from lab.site import Site
from setup.cached import locked
from setup.report import SetupError, work

IMAGE = "debian-13"
FIRST_VMID = 5000
FIRST_ADDRESS = 50
SETTLE_S = 90.0


@dataclass(frozen=True)
class Server:
    """An existing server, as settings describe one."""

    name: str
    vmid: int
    address: str
    host_key: str
    user: str = "ops"

    def lines(self) -> str:
        """For a settings file."""
        fields = ("name", "address", "user", "host_key")
        return "\n".join(f"{field}: {getattr(self, field)}" for field in fields)


def ensure_server(site: Site, client: docker.DockerClient, name: str) -> Server:
    """The server of this name, running; the lab is up."""
    guests = Guests(site.lab, client, ensure_images(client), Network(site.lab, site.world.bridges))
    # One at a time: the number of a server is the first that no other has.
    with locked(site.directory / "servers.lock", f"server {name}: waiting for another one that is being made"):
        server = _known(site, name)
        if server is None or guests.containers.find(server.vmid) is None:
            with work(f"lab {site.lab.site}: making server {name}"):
                return _make(site, guests, name)
    if not guests.running(server.vmid):
        guests.start(_machine(site, server))
    return server


def _make(site: Site, guests: Guests, name: str) -> Server:
    private, public = openssh_pair(ed25519.Ed25519PrivateKey.generate())
    number = _number(site, name)
    address = str(ipaddress.ip_network(site.world.bridges[0].cidr)[FIRST_ADDRESS + number])
    server = Server(name=name, vmid=FIRST_VMID + number, address=address, host_key=public.decode())
    machine = _machine(site, server)
    user_key = (site.directory / "ssh" / "id_ed25519.pub").read_text().strip()
    seeded = seed(name, site.domain, user_key, (private, public), _network(site, machine.nics[0], address))
    guests.delete(server.vmid)  # what an interrupted attempt left
    guests.create(server.vmid, IMAGE)
    guests.start(Machine(**{**vars(machine), "seed": seeded}))
    _wait_until_settled(guests, server)
    guests.apply(machine)
    _file(site, name).parent.mkdir(exist_ok=True)
    _file(site, name).write_text(json.dumps(vars(server), indent=1) + "\n")
    return server


def _wait_until_settled(guests: Guests, server: Server) -> None:
    """Wait for cloud-init; SetupError with what it complained of."""
    if (pid := pid_of(guests.containers.require(server.vmid))) is None:
        raise SetupError(f"server {server.name}: ended while it was set up.")
    result, deadline = inside(pid, "/run/cloud-init/result.json"), time.monotonic() + SETTLE_S
    while not result.exists():
        if time.monotonic() > deadline:
            raise SetupError(f"server {server.name}: cloud-init did not finish within {SETTLE_S:.0f} s.")
        time.sleep(0.1)
    if errors := json.loads(result.read_text())["v1"]["errors"]:
        raise SetupError(f"server {server.name}: cloud-init: {'; '.join(errors)}")


def _known(site: Site, name: str) -> Server | None:
    file = _file(site, name)
    return Server(**json.loads(file.read_text())) if file.exists() else None


def _number(site: Site, name: str) -> int:
    """The number this server has, or the first that no other has."""
    known = {file.stem: json.loads(file.read_text())["vmid"] - FIRST_VMID for file in _file(site, "").parent.glob("*")}
    return int(known.get(name, next(number for number in range(len(known) + 1) if number not in known.values())))


def _file(site: Site, name: str) -> Path:
    return site.directory / "servers" / f"{name}.json"


def _machine(site: Site, server: Server) -> Machine:
    mac = f"52:54:00:5E:{server.vmid >> 8:02X}:{server.vmid & 255:02X}"
    nic = Nic(slot=0, mac=mac, bridge=site.world.bridges[0].name)
    return Machine(vmid=server.vmid, name=server.name, cores=2, memory_mib=1024, nics=(nic,))


def _network(site: Site, nic: Nic, address: str) -> object:
    """Network configuration version 1, as Proxmox writes it."""
    bridge = site.world.bridges[0]
    length = gateway_interface(bridge).partition("/")[2]
    subnet = {"type": "static", "address": f"{address}/{length}", "gateway": bridge.gateway}
    device = {"type": "physical", "name": "eth0", "mac_address": nic.mac.lower(), "subnets": [subnet]}
    return {
        "version": 1,
        "config": [device, {"type": "nameserver", "address": [bridge.gateway], "search": [site.domain]}],
    }
