"""A compose project as compose itself understands it: its services, images, published ports, host paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Port:
    """A port that a service publishes on the host. `address` is empty where it is published on all."""

    protocol: str
    address: str
    number: int

    def meets(self, other: Port) -> bool:
        """Whether both cannot be had at once."""
        everywhere = {"", "0.0.0.0", "::", "*"}  # noqa: S104  a comparison, nothing listens
        same = self.address == other.address or self.address in everywhere or other.address in everywhere
        return self.protocol == other.protocol and self.number == other.number and same

    def __str__(self) -> str:
        """Show as `8080/tcp`."""
        return f"{self.number}/{self.protocol}"


@dataclass(frozen=True)
class Model:
    """What `docker compose config --format json` prints."""

    content: Mapping[str, Any]

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """Services that are to run; those scaled to nothing are left out."""
        return {name: found for name, found in (self.content.get("services") or {}).items() if scale(found) > 0}

    @property
    def images(self) -> dict[str, str]:
        """Image of each service."""
        return {name: str(found["image"]) for name, found in self.services.items() if found.get("image")}

    def ports(self) -> Iterator[Port]:
        """Ports published at fixed numbers."""
        for service in self.services.values():
            for entry in service.get("ports") or ():
                for number in _numbers(str(entry.get("published") or "")):
                    yield Port(str(entry.get("protocol") or "tcp"), str(entry.get("host_ip") or ""), number)

    def host_paths(self) -> Iterator[tuple[str, str]]:
        """Where a path of the host is used: by which part of the file, and which path."""
        for name, service in self.services.items():
            for volume in service.get("volumes") or ():
                if volume.get("type") == "bind":
                    yield f"services.{name}.volumes", str(volume.get("source"))
            for device in service.get("devices") or ():
                yield f"services.{name}.devices", str(device.get("source") if isinstance(device, Mapping) else device)
        for kind in ("secrets", "configs"):
            for name, entry in (self.content.get(kind) or {}).items():
                if entry.get("file"):
                    yield f"{kind}.{name}.file", str(entry["file"])
        for name, volume in (self.content.get("volumes") or {}).items():
            options = (volume or {}).get("driver_opts") or {}
            device = str(options.get("device", ""))
            is_share = device.startswith("//") and options.get("type") in ("cifs", "smb3")  # to others, // is /
            if {"bind", "rbind"} & set(str(options.get("o", "")).split(",")) or (
                device.startswith("/") and not is_share
            ):
                yield f"volumes.{name}.driver_opts.device", device


def scale(service: Mapping[str, Any]) -> int:
    """How many containers a service is to have."""
    deploy = service.get("deploy") or {}
    found = service.get("scale", deploy.get("replicas", 1))
    return 1 if found is None else int(found)


def _numbers(published: str) -> Iterator[int]:
    first, _, last = published.partition("-")
    if first.isdigit() and int(first):
        yield from range(int(first), int(last or first) + 1)
