"""Whom we talk to is known before the first word: host keys, certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resource import Resource, items, shown
from policies.rule import Level, Rule
from provider.values import UNKNOWN

HOST_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+=*( .*)?")
BY_TYPE = {
    "hypercompose:host:Ready": "oneTimeKey",
    "hypercompose:host:HostKey": "hostKey",
    "hypercompose:host:Filesystem": "hostKey",
}
WITHOUT_SSH = frozenset(f"hypercompose:host:{kind}" for kind in ("AgentKey", "HostBaseline", "HostCommands"))
"""The first asks the hypervisor, the others are components."""
PROVIDERS = ("pulumi:providers:proxmoxve", "pulumi:providers:hypercompose")
PORTAINER = ("Access", "Settings", "Environment", "Registry", "Stack", "GatedStack")


def no_host_key(resource: Resource) -> Iterator[str]:
    """Connections that would trust whoever answers."""
    if resource.type in WITHOUT_SSH or resource.type.startswith("command:local:"):
        return
    own = "hostKey" if resource.type.startswith("command:") else "host_key"
    path = BY_TYPE.get(resource.type) or f"connection.{own}"
    found = resource.get(path)
    if found is not UNKNOWN and not (isinstance(found, str) and HOST_KEY.fullmatch(found)):
        yield f"{path}: {shown(found)}"


def not_verified(resource: Resource) -> Iterator[str]:
    """TLS that is not asked for, or not checked."""
    if str(resource.get("insecure")).lower() == "true":
        yield "insecure: true"
    for path in ("endpoint", "url", "server.url"):
        if str(resource.get(path)).lower().startswith("http://"):
            yield from _in_the_clear(resource, path)
    for key in ("insecure-registries", "registry-mirrors"):
        for registry in items(resource.get(f"config.{key}")):
            if key == "insecure-registries" or str(registry).startswith("http://"):
                yield f"config.{key}: {shown(registry)}"


def _in_the_clear(resource: Resource, path: str) -> Iterator[str]:
    # a public repository may be read without TLS: its commits name their content
    if path != "url" or resource.get("password") is not None or resource.type not in _GIT:
        yield f"{path}: {shown(resource.get(path))}"


def no_certificate(resource: Resource) -> Iterator[str]:
    """Portainers that would be believed whatever they show."""
    path = "certificate" if resource.type.endswith(":Access") else "server.certificate"
    found = resource.get(path)
    if found is not UNKNOWN and "BEGIN CERTIFICATE" not in str(found):
        yield f"{path}: {shown(found)}"


_STACKS = ("hypercompose:portainer:Stack", "hypercompose:portainer:GatedStack")
_GIT = ("hypercompose:git:Publication", *_STACKS)
RULES = (
    Rule(
        name="host-key-pinned",
        level=Level.MANDATORY,
        holds="every SSH connection knows the host's key beforehand",
        remedy="give `host_key`; VMs of a stack have theirs by themselves",
        doc="docs/adr/0003-host-key-pinned-from-the-first-packet.md",
        types=("hypercompose:host:*", "hypercompose:windows:ServiceConfig", *_STACKS, "command:*"),
        find=no_host_key,
        guard="settings: required for servers; provider: connects under a key only; `commands`: program",
    ),
    Rule(
        name="tls-verified",
        level=Level.MANDATORY,
        holds="every service is reached by TLS, and its certificate is checked",
        remedy="use https://, with the `ca` of the site where it is one of your own",
        doc="docs/sites.md",
        types=(*PROVIDERS, *_GIT, "hypercompose:portainer:*", "hypercompose:host:DockerDaemon"),
        find=not_verified,
        guard="settings: https:// for Proxmox, registry and git; `docker.daemon` is free",
    ),
    Rule(
        name="portainer-certificate-pinned",
        level=Level.MANDATORY,
        holds="Portainer is known by the certificate that was read over SSH",
        remedy="leave `server` as components/portainer_server.py has it",
        doc="docs/stacks.md",
        types=tuple(f"hypercompose:portainer:{kind}" for kind in PORTAINER),
        find=no_certificate,
        guard="program: always set; provider: no other certificate is believed",
    ),
)
