"""Docker on one host, with nothing left to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from settings.errors import problem
from settings.host import Docker
from settings.site import Site

NETWORKS_WANTED = 60
"""Compose networks that must fit into the pools."""


@dataclass(frozen=True, kw_only=True)
class RegistryPlan:
    """The site's registry as a Docker host uses it. `ca` is PEM text."""

    host: str
    ca: str | None
    user: str | None
    proof_image: str | None
    proof_port: int | None


@dataclass(frozen=True, kw_only=True)
class DockerPlan:
    """`daemon` is all of daemon.json; `repositories` has `dnf`, `apt` or both, each with its key as text."""

    repositories: Mapping[str, Any]
    versions: Mapping[str, str]
    replace: bool
    daemon: Mapping[str, Any]
    published: Mapping[str, Any]
    undeclared: str
    pools: tuple[str, ...]
    users: tuple[str, ...]
    registry: RegistryPlan | None


def plan_docker(site: Site, docker: Docker, *, existing: bool) -> tuple[DockerPlan | None, list[str]]:
    """The plan, and the problems at fields of `docker`; None where the site has no Docker at all."""
    if site.docker is None:
        return None, [f"version: no Docker to be had, expected `docker` in sites/{site.id}.yaml; say there where from"]
    problems = [*_pool_problems(site, docker)]
    version = docker.version or next(iter(site.docker.versions))
    if version not in site.docker.versions:
        known = ", ".join(site.docker.versions)
        problems.append(problem("version", version, f"one of {known}", f"or add it to sites/{site.id}.yaml"))
    undeclared = docker.undeclared or ("untouched" if existing else "closed")
    plan = DockerPlan(
        repositories=_repositories(site),
        versions=site.docker.versions.get(version, {}),
        replace=docker.replace,
        daemon={**_daemon(docker, closed=undeclared == "closed"), **docker.daemon},
        published={
            name: {"ports": list(opened.ports), "sources": [str(source) for source in opened.sources]}
            for name, opened in docker.published.items()
        },
        undeclared=undeclared,
        pools=tuple(str(pool.base) for pool in docker.pools),
        users=docker.users,
        registry=_registry(site, docker),
    )
    return plan, problems


def _daemon(docker: Docker, *, closed: bool) -> dict[str, Any]:
    """Limits for logs, containers that outlive a restart of the daemon, and no way to more rights.

    Where undeclared ports are closed there is no docker-proxy either: it would serve them past the rules (measured).
    """
    mirrors = {"registry-mirrors": list(docker.registry_mirrors)} if docker.registry_mirrors else {}
    return {
        "default-address-pools": [{"base": str(pool.base), "size": pool.size} for pool in docker.pools],
        "icc": False,
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-file": str(docker.log_max_files), "max-size": docker.log_max_size},
        "no-new-privileges": True,
        **({"userland-proxy": False} if closed else {}),
        **mirrors,
    }


def _pool_problems(site: Site, docker: Docker) -> Iterator[str]:
    room = 0
    for index, pool in enumerate(docker.pools):
        room += 1 << max(0, pool.size - pool.base.prefixlen) if pool.size >= pool.base.prefixlen else 0
        if pool.size < pool.base.prefixlen:
            yield problem(f"pools[{index}].size", pool.size, f"{pool.base.prefixlen} or more", f"as {pool.base} is")
        for name, network in _networks(site):
            if pool.base.overlaps(network):
                expected = f"a range outside of the site's networks ({name} is {network})"
                yield problem(f"pools[{index}].base", str(pool.base), expected, "for example 172.20.0.0/14")
    if room < NETWORKS_WANTED:
        yield problem("pools", f"{room} networks", f"room for {NETWORKS_WANTED}", "a larger base, or a larger size")


def _networks(site: Site) -> Iterator[tuple[str, IPv4Network]]:
    for name, bridge in site.proxmox.bridges.items():
        yield name, bridge.cidr
        yield from ((f"{name}, VLAN {tag}", network.cidr) for tag, network in bridge.vlans.items())


def _repositories(site: Site) -> dict[str, Any]:
    source = site.docker
    if source is None:
        return {}
    found: dict[str, Any] = {}
    if source.dnf:
        found["dnf"] = {"url": source.dnf.url, "key": site.text_of("docker.dnf.key", source.dnf.key)}
    if source.apt:
        found["apt"] = {
            "url": source.apt.url,
            "key": site.text_of("docker.apt.key", source.apt.key),
            "suite": source.apt.suite,
            "components": list(source.apt.components),
        }
    return found


def _registry(site: Site, docker: Docker) -> RegistryPlan | None:
    registry = site.registry
    if registry is None:
        return None
    proof = registry.proof if docker.proof else None
    return RegistryPlan(
        host=registry.host,
        ca=site.text_of("registry.ca", registry.ca) if registry.ca else None,
        user=registry.user,
        proof_image=f"{registry.host}/{proof.image}" if proof else None,
        proof_port=proof.port if proof else None,
    )
