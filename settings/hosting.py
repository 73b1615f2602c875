"""Settings of hosts that take product instances: which ports, how much memory, how many networks, names with TLS."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from settings.site import Model

LOWEST = 1024
RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Port = Annotated[int, Field(ge=1, le=65535)]


class Routes(Model):
    """Names with TLS for the instances of a host: a router on it leads each to its instance."""

    domain: str = Field(
        pattern=rf"^{LABEL}(\.{LABEL})+$",
        max_length=189,
        description="names are `<label>.<domain>`; a wildcard record of your DNS leads them to the host",
        examples=["shops.example.com"],
    )
    port: Port = Field(443, description="port of TLS")
    http_port: Port | Literal["none"] = Field(80, description="port that sends people on to TLS; `none`: no such port")
    sources: tuple[IPv4Network, ...] = Field(
        min_length=1, description="networks that may reach both", examples=[["10.0.0.0/8"]]
    )
    certificate: Path | None = Field(
        None,
        description="certificate for `*.<domain>` with its chain (PEM), its key a secret of `route_keys`; none: an "
        "authority of the stack's own signs one",
        examples=["sites/shops.example.com.pem"],
    )

    @model_validator(mode="after")
    def _two_ports(self) -> Routes:
        if self.port == self.http_port:
            raise ValueError("another `http_port` than `port`")
        return self

    @property
    def ports(self) -> tuple[int, ...]:
        """Those that it listens on."""
        return (self.port,) if self.http_port == "none" else (self.port, self.http_port)

    def opening(self) -> dict[str, Any]:
        """Among the open ports of its host."""
        return {"ports": [f"{port}/tcp" for port in self.ports], "sources": [str(source) for source in self.sources]}


class InstanceRoom(Model):
    """What of a host may be given to instances of products."""

    ports: str = Field(description="first and last port that instances get", examples=["20000-20999"])
    sources: tuple[IPv4Network, ...] = Field(
        min_length=1, description="networks that may reach these ports", examples=[["10.0.0.0/8"]]
    )
    memory_mib: int = Field(ge=64, description="memory that all instances together may have", examples=[8192])
    networks: int = Field(60, ge=1, le=4096, description="Docker networks that all instances together may have")
    is_open: bool = Field(True, alias="open", description="whether it takes new instances; those there stay")
    routes: Routes | None = Field(None, description="names with TLS for its instances; none: ports only")

    @field_validator("ports")
    @classmethod
    def _a_range(cls, ports: str) -> str:
        found = RANGE.fullmatch(ports)
        if not found or not LOWEST <= int(found[1]) <= int(found[2]) <= 65535:
            raise ValueError(f"two ports from {LOWEST} to 65535, the first not above the last, as in 20000-20999")
        return ports

    @property
    def first_port(self) -> int:
        """The lowest that instances get."""
        return int(self.ports.partition("-")[0])

    @property
    def last_port(self) -> int:
        """The highest."""
        return int(self.ports.partition("-")[2])

    def opening(self) -> dict[str, Any]:
        """Among the published ports of its host."""
        return {"ports": [f"{self.ports}/tcp"], "sources": [str(source) for source in self.sources]}
