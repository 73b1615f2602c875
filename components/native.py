"""The user's side of the native provider's resources. Properties are camelCase on the wire, snake_case here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pulumi


class NativeProvider(pulumi.ProviderResource):
    """`hypercompose`, served by provider/."""

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        """Take endpoint, CA and, where they are Pulumi secrets, the credentials."""
        super().__init__("hypercompose", name, {_camel(key): value for key, value in props.items()}, opts)


class _Exact(pulumi.CustomResource):
    """Base of those that hold names of somebody else (variables, paths): nothing below an input is spelt anew."""

    type_name: str
    outputs: tuple[str, ...] = ()

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.type_name, name, {**inputs, **dict.fromkeys(self.outputs)}, opts)


class _Native(_Exact):
    """Base of those whose names are all our own: `host_key` here, `hostKey` on the wire."""

    def translate_input_property(self, prop: str) -> str:
        """`host_key` as `hostKey`."""
        return _camel(prop)

    def translate_output_property(self, prop: str) -> str:
        """`hostKey` as `host_key`."""
        return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", prop)


class SiteClaim(_Native):
    """The state belongs to one site."""

    type_name = "hypercompose:site:Claim"


class Limits(_Exact):
    """What an `up` may not delete or replace."""

    type_name = "hypercompose:site:Limits"


class VmClaim(_Native):
    """A VM id is free or ours, and the site has what the VM needs."""

    type_name = "hypercompose:proxmox:VmClaim"
    outputs = ("nonce",)
    nonce: pulumi.Output[str]


class VmProof(_Native):
    """The VM in the state is the claimed one."""

    type_name = "hypercompose:proxmox:VmProof"


class Seed(_Native):
    """What a VM learns at first boot, with a one-time host key: a NoCloud disc, or the text of a snippet."""

    type_name = "hypercompose:proxmox:Seed"
    outputs = ("file_id", "host_key", "user_data")
    file_id: pulumi.Output[str]
    user_data: pulumi.Output[str]
    host_key: pulumi.Output[str]


class Ready(_Native):
    """SSH accepted, first boot finished, the final host key made."""

    type_name = "hypercompose:host:Ready"
    outputs = ("host_key",)
    host_key: pulumi.Output[str]


class AgentKey(_Native):
    """The host key read through the guest agent."""

    type_name = "hypercompose:host:AgentKey"
    outputs = ("host_key",)
    host_key: pulumi.Output[str]


class HostKey(_Native):
    """The host answers with its final key only."""

    type_name = "hypercompose:host:HostKey"
    outputs = ("address",)
    host_key: pulumi.Output[str]
    address: pulumi.Output[str]


class Filesystem(_Native):
    """A data disk, mounted."""

    type_name = "hypercompose:host:Filesystem"


class HostStep(pulumi.CustomResource):
    """A step on a host. Its arguments are called as in the settings, so names pass as they are."""

    facts: pulumi.Output[Mapping[str, str]]
    versions: pulumi.Output[dict[str, str]]
    certificate: pulumi.Output[str]
    data: pulumi.Output[str]

    def __init__(
        self, kind: str, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Take the kind of step (`Sysctl`) and its inputs."""
        given = {**dict.fromkeys(("facts", "versions", "certificate", "data")), **inputs}
        super().__init__(f"hypercompose:host:{kind}", name, given, opts)


class Password(_Exact):
    """A random secret."""

    type_name = "hypercompose:secret:Password"
    outputs = ("value",)
    value: pulumi.Output[str]


class Uuid(_Exact):
    """A random UUID, a secret."""

    type_name = "hypercompose:secret:Uuid"
    outputs = ("value",)
    value: pulumi.Output[str]


class TlsAuthority(_Exact):
    """Signs certificates of ours."""

    type_name = "hypercompose:tls:Authority"
    outputs = ("certificate", "key")
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


class TlsCertificate(_Exact):
    """A certificate with its key, signed by an authority of ours."""

    type_name = "hypercompose:tls:Certificate"
    outputs = ("certificate", "key")
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


class Publication(_Exact):
    """A ref of ours with exactly these files."""

    type_name = "hypercompose:git:Publication"
    outputs = ("commit",)
    commit: pulumi.Output[str]


class PortainerAccess(_Exact):
    """A server of an accepted release, and our API key there."""

    type_name = "hypercompose:portainer:Access"
    outputs = ("apiKey", "version", "instanceId")
    apiKey: pulumi.Output[str]
    version: pulumi.Output[str]


class PortainerSettings(_Exact):
    """Settings of a server."""

    type_name = "hypercompose:portainer:Settings"


class PortainerEnvironment(_Exact):
    """The server's own Docker, or another host's, under a name."""

    type_name = "hypercompose:portainer:Environment"
    outputs = ("environmentId",)
    environmentId: pulumi.Output[int]


class PortainerRegistry(_Exact):
    """A registry that stacks pull from."""

    type_name = "hypercompose:portainer:Registry"
    outputs = ("registryId",)
    registryId: pulumi.Output[int]


class PortainerRegistryAccess(_Exact):
    """Who may use a registry in an environment."""

    type_name = "hypercompose:portainer:RegistryAccess"


class GatedStack(_Exact):
    """A ref that the gate of a host follows."""

    type_name = "hypercompose:portainer:GatedStack"
    outputs = ("asked", "runningCommit", "release", "images", "why")
    asked: pulumi.Output[str]
    runningCommit: pulumi.Output[str]
    release: pulumi.Output[str]
    images: pulumi.Output[dict[str, str]]
    why: pulumi.Output[str]


class ServiceConfig(_Exact):
    """Where the config files on a companion say that a service is."""

    type_name = "hypercompose:windows:ServiceConfig"


class Stack(_Exact):
    """A compose stack."""

    type_name = "hypercompose:portainer:Stack"
    outputs = ("stackId", "running", "runningCommit", "webhook")
    stackId: pulumi.Output[int]
    running: pulumi.Output[dict[str, str]]
    runningCommit: pulumi.Output[str]
    webhook: pulumi.Output[str]


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
