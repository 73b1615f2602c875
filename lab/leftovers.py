"""Things of other labs on this machine: a lab whose folder is gone is cleared away, one that is there is respected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import docker
from docker.errors import NotFound

from lab.firewall import open_up
from lab.guests import disks
from lab.identity import SITE_LABEL, Lab, lab_of_labels
from lab.network import labs_with_bridges, remove_devices
from lab.processes import end, supervisors
from lab.qemu import guest as qemu
from lab.resolver import Resolver
from lab.services.registry import Registry
from setup.cached import locked
from setup.places import cache_home
from setup.report import SetupError, say


def clear_abandoned(client: docker.DockerClient) -> None:
    """Remove all that belongs to labs whose folder no longer exists."""
    for pid, directory in supervisors():
        if not directory.exists():
            end(pid, 5)
    if not any(_abandoned(client)):
        return
    with locked(cache_home() / "abandoned.lock", "abandoned labs: waiting for another lab that clears them away"):
        for lab in _abandoned(client):
            say(f"clearing away the lab of {lab.directory}, which is gone")
            remove_objects(client, lab)
            remove_network(lab)


def _abandoned(client: docker.DockerClient) -> Iterator[Lab]:
    return (lab for lab in known_labs(client) if not lab.directory.exists())


def refuse_second_lab(client: docker.DockerClient, lab: Lab) -> None:
    """SetupError when another lab of the same site id is on this machine."""
    for other in known_labs(client):
        if other.site == lab.site and other.directory != lab.directory:
            raise SetupError(
                f"site {lab.site}: the lab of {other.directory} has this id on this machine; "
                f"run `python -m lab purge` there, or give this site another id."
            )


def known_labs(client: docker.DockerClient) -> set[Lab]:
    """Every lab that has a container, a volume, a network or a bridge on this machine."""
    return labs_with_bridges() | {lab for labels in _all_labels(client) if (lab := lab_of_labels(labels))}


def remove_objects(client: docker.DockerClient, lab: Lab) -> None:
    """Remove the lab's containers, networks and volumes."""
    filters = lab.label_filter
    for container in client.containers.list(all=True, filters=filters, ignore_removed=True):
        with suppress(NotFound):
            container.remove(force=True, v=True)
    for network in client.networks.list(filters=filters):
        network.remove()
    for volume in client.volumes.list(filters=filters):
        volume.remove()


def remove_network(lab: Lab) -> None:
    """Remove the lab's bridges and cables, rules, resolver, registry, QEMU guest and block devices."""
    qemu.down(lab)
    Resolver(lab, (), "").end_leftover()
    Registry(lab.directory / "services").end_leftover()
    remove_devices(lab)
    open_up(lab)
    disks.detach_below(lab.directory)


def _all_labels(client: docker.DockerClient) -> Iterator[dict[str, str]]:
    filters: dict[str, Any] = {"label": SITE_LABEL}
    found: Iterable[object] = (
        *client.containers.list(all=True, filters=filters, ignore_removed=True),
        *client.networks.list(filters=filters),
        *client.volumes.list(filters=filters),
    )
    for item in found:
        attributes = getattr(item, "attrs", {})
        yield attributes.get("Labels") or (attributes.get("Config") or {}).get("Labels") or {}
