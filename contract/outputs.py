"""The output contract: every field that other teams may read, by type. A new major version may take one away."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = "1.3"
"""Minor: fields were added. Major: fields were removed or mean something else."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class Told(BaseModel):
    """Base of the contract's types: exactly these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ProgramTold(Told):
    """The program that made the stack what it is."""

    version: str = Field(description="release", examples=["0.1.0"])
    commit: str | None = Field(None, description="commit of its checkout; `-changed` behind it where files differed")


class HostTold(Told):
    """A host of the stack."""

    address: str = Field(description="IPv4 address or name to reach it at", examples=["10.0.10.11"])
    port: Port = Field(description="port of its SSH server")
    user: str = Field(description="who logs in")
    host_key: str = Field(
        pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$", description="public host key to pin, `ssh-ed25519 AAAA…`"
    )
    os: Literal["linux", "windows"] = Field(description="its operating system")
    vm_id: int | None = Field(None, description="Proxmox VM id; none: a server that was there")
    node: str | None = Field(None, description="Proxmox node; none: a server that was there")


class PortainerTold(Told):
    """Portainer on a host."""

    url: str = Field(pattern=r"^https://", description="its page and API")
    user: str = Field(description="its administrator")
    password: str = Field(description="the administrator's password; a secret")


class StackTold(Told):
    """A compose stack."""

    host: str = Field(description="name of its host")
    commit: str = Field(description="git commit that runs; empty for a stack without git")
    asked: str = Field(
        "", description="commit that its source was last seen at; empty without git, or for plain polling"
    )
    why: str = Field("", description="why another commit runs than the one asked for; empty where none does")
    images: dict[str, str] = Field(description="service -> image as it runs")
    digests: dict[str, Digest] = Field(description="service -> digest, of images that have one")
    ports: dict[str, Port] = Field(description="port name -> published port")
    urls: dict[str, str] = Field(description="port name -> address to open")


class LinkTold(Told):
    """A link between a host and its Windows companion."""

    host: str = Field(description="name of the host")
    companion: str = Field(description="address or name of the companion")
    share: str = Field("", description="its share as both sides write it", examples=["//10.0.10.21/M"])
    mount: str = Field("", description="where the host has the share", examples=["/mnt/m"])
    services: dict[str, Literal["containers", "windows"]] = Field(
        default_factory=dict, description="where each of its services runs, as the companion's config files say"
    )


class HostingTold(Told):
    """A host that takes instances of products: what of it they may have, and its Portainer."""

    address: str = Field(description="address of its instances")
    first_port: Port = Field(description="lowest port that instances get")
    last_port: Port = Field(description="highest port that instances get")
    memory_mib: int = Field(description="memory that all instances together may have")
    networks: int = Field(description="Docker networks that all instances together may have")
    is_open: bool = Field(description="whether it takes new instances")
    portainer: str = Field(pattern=r"^https://", description="the Portainer that deploys to it")
    environment_id: int = Field(description="number of its environment there")
    certificate: str = Field(description="certificate of that Portainer, to be pinned (PEM)")
    data: str = Field(description="which data volume that Portainer has; another one knows nothing of the stacks")
    domain: str | None = Field(
        None,
        description="names of its instances are `<label>.<domain>`; none: it gives no names",
        examples=["shops.lab"],
    )
    route_port: Port | None = Field(None, description="port of TLS of these names; none: it gives no names")
    authority: str | None = Field(
        None, description="certificate of the authority that vouches for them (PEM); none: the site's own does"
    )


class Outputs(Told):
    """All outputs of an environment stack."""

    contract: str = Field(pattern=r"^\d+\.\d+$", description="version of this contract", examples=[VERSION])
    site: str = Field(description="id of the site")
    environment: str = Field(description="name of the stack")
    program: ProgramTold = Field(description="what made it")
    hosts: dict[str, HostTold] = Field(description="hosts by name")
    portainers: dict[str, PortainerTold] = Field(description="Portainer by host")
    stacks: dict[str, StackTold] = Field(description="compose stacks by name")
    webhooks: dict[str, str] = Field(
        default_factory=dict, description="stack -> address that makes its source be looked at at once (POST); a secret"
    )
    hosting: dict[str, HostingTold] = Field(
        default_factory=dict, description="hosts that take instances of products, by name"
    )
    hosting_keys: dict[str, str] = Field(
        default_factory=dict, description="host -> API key of ours at its Portainer; a secret"
    )
    links: dict[str, LinkTold] = Field(description="links by name")


def schema() -> dict[str, Any]:
    """The JSON Schema of the outputs."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"hypercompose-outputs-{VERSION}",
        **Outputs.model_json_schema(),
        "title": f"Hypercompose outputs {VERSION}",
    }
