"""`python -m lab status`: what of the lab runs, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import docker

from lab import dockerd
from lab.companion import power
from lab.guests import Guests
from lab.network import Network, marked_devices
from lab.processes import supervisor_of
from lab.qemu import guest as qemu
from lab.resolver import Resolver
from lab.services import running
from lab.site import Site


def status(site: Site, *, api_answers: bool) -> str:
    """The table; needs no part of the lab to run."""
    client = dockerd.find()
    rows = [("part", "state", "details"), *_parts(site, client, api_answers=api_answers)]
    text = _table(rows)
    if client is not None:
        vms = [("vm", "name", "node", "status", "addresses"), *_vms(site, client)]
        text += "\n\n" + _table(vms)
    return text


def _parts(site: Site, client: docker.DockerClient | None, *, api_answers: bool) -> Iterator[tuple[str, ...]]:
    pid = supervisor_of(site.directory)
    yield "api", "answers" if api_answers else "does not answer", site.endpoint
    yield "supervisor", "runs" if pid else "off", f"process {pid}" if pid else str(site.directory)
    resolver = Resolver(site.lab, (), "").running_pid()
    yield "dhcp and dns", "runs" if resolver else "off", f"process {resolver}" if resolver else ""
    yield from running.rows(site)
    yield from power.rows(site, client)
    if number := qemu.process_of(site.lab):
        yield "qemu guest", "runs", f"process {number} {qemu.QemuGuest(site).address}"
    own = dockerd.own_pid()
    yield "dockerd", "runs" if client else "off", ("ours" if own else "not ours, left alone") if client else ""
    present = marked_devices(site.lab)
    for bridge in site.world.bridges:
        device = site.lab.bridge_device(bridge.name, None)
        yield f"bridge {bridge.name}", "up" if device in present else "off", f"{device} {bridge.cidr}"


def _vms(site: Site, client: docker.DockerClient) -> Iterator[tuple[str, ...]]:
    guests = Guests(site.lab, client, {}, Network(site.lab, ()))
    nodes = _nodes(site)
    for vmid in sorted(guests.containers.all()):
        record, found = guests.records.get(vmid), guests.interfaces(vmid) or ()
        name = record.machine.name if record else ""
        known = [address for interface in found if interface.name != "lo" for address in interface.addresses]
        on = "running" if guests.running(vmid) else "stopped"
        yield str(vmid), name, nodes.get(vmid, ""), on, " ".join(known)


def _nodes(site: Site) -> dict[int, str]:
    """Node of each VM, as the Proxmox API wrote it down last."""
    file = site.api_folder / "state.json"
    vms: dict[str, Any] = json.loads(file.read_text())["vms"] if file.exists() else {}
    return {int(vmid): vm["node"] for vmid, vm in vms.items()}


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
