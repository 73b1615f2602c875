"""A stack as it is wanted, where it goes, and whose it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from provisioning.errors import ProvisioningError
from provisioning.git import Repository
from provisioning.host import Address
from provisioning.hosts import Hosts
from provisioning.portainer.containers import Docker
from provisioning.portainer.env_values import from_pairs
from provisioning.portainer.stacks import AutoUpdate, Found, GitSource, Stacks

OWNER = "HYPERCOMPOSE_OWNER"
"""Variable of every stack of ours: `<site>/<stack>/<name>`; a stack without it is somebody else's."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A stack with nothing left to decide. Either `inline`, or `source` with its `repository` as we reach it."""

    name: str
    owner: str
    update: AutoUpdate
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    inline: str | None = None
    source: GitSource | None = None
    repository: Repository | None = None
    commit: str = ""
    """Of a ref that is ours alone; empty where others push and Portainer follows."""
    gated: bool = False
    """Whether the source is the gate of its host, which has looked at everything already."""
    adopt: bool = False
    deployed: bool = False
    """Whether the state says that we have deployed it: then containers of its name are ours."""
    allowed_paths: tuple[str, ...] = ()
    timeout_s: float = 180
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def all_env(self) -> dict[str, str]:
        """With the mark of its owner."""
        return {**self.env, OWNER: self.owner}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where it happens."""

    hosts: Hosts
    address: Address
    stacks: Stacks
    docker: Docker
    tell: Callable[[str], None] = lambda text: None


class NotOurs(ProvisioningError):
    """The name is taken by a stack or compose project that we did not make."""


def owner_of(found: Found) -> str | None:
    """Whose stack it is; None for one that no program like this has made."""
    return from_pairs(found.get("Env")).get(OWNER)
