"""Settings of hosts that take product instances: which ports, how much memory, how many networks."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Any

from pydantic import Field, field_validator

from settings.site import Model

LOWEST = 1024
RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


class InstanceRoom(Model):
    """What of a host may be given to instances of products."""

    ports: str = Field(description="first and last port that instances get", examples=["20000-20999"])
    sources: tuple[IPv4Network, ...] = Field(
        min_length=1, description="networks that may reach these ports", examples=[["10.0.0.0/8"]]
    )
    memory_mib: int = Field(ge=64, description="memory that all instances together may have", examples=[8192])
    networks: int = Field(60, ge=1, le=4096, description="Docker networks that all instances together may have")
    is_open: bool = Field(True, alias="open", description="whether it takes new instances; those there stay")

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
