"""How a project is offered as a product: in which versions and sizes, and what an instance takes of its host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from settings.portainer import FILE_NAME, VARIABLE
from settings.site import Model

IMAGE_KEY = r"^[a-z0-9][a-z0-9._-]{0,62}$"
ROUTE_PATH = r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$"
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]


class Version(Model):
    """A set of images that belong together."""

    images: dict[str, Annotated[str, Field(pattern=IMAGE_KEY)]] = Field(
        min_length=1, description="key in the compose file -> key of the image lock"
    )
    external: tuple[str, ...] = Field(
        (), description="keys of the lock that images/ does not hold: a site names them under `images.external`"
    )
    warning: str | None = Field(
        None, description="what whoever takes it is told, for example out of support since when"
    )


class Size(Model):
    """How much of a host an instance gets."""

    memory_mib: int = Field(ge=4, le=8388608, description="limits of all its containers together, in MiB")
    variables: dict[Annotated[str, Field(pattern=VARIABLE)], str] = Field(
        default_factory=dict, description="variables of the compose file, such as limits"
    )
    description: str = Field("", description="whom it is for")


class Hosting(Model):
    """What makes a project a product: instances of it are made on demand."""

    version: Word = Field(description="where none is asked for")
    versions: dict[Word, Version] = Field(min_length=1, description="by name")
    size: Word = Field(description="where none is asked for")
    sizes: dict[Word, Size] = Field(min_length=1, description="by name")
    networks: int = Field(ge=1, le=16, description="Docker networks that one instance takes of its host's pools")
    pairs: tuple[tuple[str, str], ...] = Field((), description="ports that are neighbours: n and n + 1")
    route: Annotated[str, Field(pattern=FILE_NAME)] | None = Field(
        None, description="port that a name with TLS leads to; none: it has no name"
    )
    paths: dict[Annotated[str, Field(pattern=ROUTE_PATH)], Annotated[str, Field(pattern=FILE_NAME)]] = Field(
        default_factory=dict, description="paths of the name that lead to another port, with all below them"
    )
    routed: dict[Annotated[str, Field(pattern=VARIABLE)], str] = Field(
        default_factory=dict, description="variables of the compose file, of an instance that has a name"
    )
    final_backup: Literal["volumes", "none"] = Field(
        "volumes", description="what is backed up before an instance whose time is over is destroyed"
    )
    ready_s: int = Field(ge=1, le=3600, description="from nothing to usable, in seconds")
    start_s: int = Field(ge=1, le=3600, description="from stopped to usable, in seconds")
    stop_s: int = Field(ge=1, le=600, description="from running to stopped, in seconds")

    @model_validator(mode="after")
    def _named(self) -> Hosting:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if self.version not in self.versions:
            yield f"one of {', '.join(self.versions)} as `version`, not {self.version}"
        if self.size not in self.sizes:
            yield f"one of {', '.join(self.sizes)} as `size`, not {self.size}"
        for name, version in self.versions.items():
            if unknown := sorted(set(version.external) - set(version.images.values())):
                yield f"keys of `images` as `external` of version {name}, not {unknown[0]}"
        if self.route is None and (self.paths or self.routed):
            yield "`route`, the port that a name leads to, beside `paths` and `routed`"
        paired = [port for pair in self.pairs for port in pair]
        if len(set(paired)) != len(paired):
            yield "each port in one pair at most"
