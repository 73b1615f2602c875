"""Who may do what: privileges by path, replaced by grants on longer paths, as Proxmox evaluates its ACL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lab.pve.errors import denied
from lab.world import Grant, World

PRIVILEGES = (
    "Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Group.Allocate"
    " Mapping.Audit Mapping.Modify Mapping.Use Permissions.Modify Pool.Allocate Pool.Audit Realm.Allocate"
    " Realm.AllocateUser SDN.Allocate SDN.Audit SDN.Use Sys.AccessNetwork Sys.Audit Sys.Console Sys.Incoming"
    " Sys.Modify Sys.PowerMgmt Sys.Syslog User.Modify VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM"
    " VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network"
    " VM.Config.Options VM.Console VM.GuestAgent.Audit VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt"
    " VM.GuestAgent.FileWrite VM.GuestAgent.Unrestricted VM.Migrate VM.PowerMgmt VM.Replicate VM.Snapshot"
    " VM.Snapshot.Rollback"
).split()
ROLES = {"Administrator": PRIVILEGES, "NoAccess": []}
ROOT = "root@pam"
TOP_PATHS = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")


class Permissions:
    """The grants of all users and tokens of a world."""

    def __init__(self, world: World) -> None:
        """root@pam may do everything; others what the world grants them."""
        self._grants = {user: {grant.path: grant for grant in grants} for user, grants in world.tokens.items()}
        self._grants |= {user: _unrestricted() for user in world.users if user == ROOT}

    def at(self, user: str, path: str) -> dict[str, int]:
        """Privileges on a path, each with whether it propagates. A grant on a longer path replaces inherited ones."""
        held: dict[str, int] = {}
        for step in _steps(path):
            grant = self._grants.get(user, {}).get(step)
            if grant and (grant.propagate or step == path):
                held = {name: int(grant.propagate) for name in _expanded(grant.privileges)}
        return held

    def holds(self, user: str, path: str, *privileges: str) -> bool:
        """Whether the user has all of them."""
        return set(privileges) <= set(self.at(user, path))

    def require(self, user: str, path: str, *privileges: str) -> None:
        """403 that names the first privilege that is missing."""
        for privilege in privileges:
            if not self.holds(user, path, privilege):
                raise denied(path, privilege)

    def require_any(self, user: str, path: str, privileges: Iterable[str]) -> None:
        """403 that names them all when the user has none of them."""
        wanted = list(privileges)
        if not set(wanted) & set(self.at(user, path)):
            raise denied(path, "|".join(wanted))

    def overview(self, user: str, extra_paths: Iterable[str]) -> Mapping[str, dict[str, int]]:
        """What `GET /access/permissions` answers."""
        paths = sorted({*TOP_PATHS, *self._grants.get(user, {}), *extra_paths})
        return {path: held for path in paths if (held := self.at(user, path))}


def _unrestricted() -> dict[str, Grant]:
    return {"/": Grant(path="/", privileges=("Administrator",))}


def _expanded(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from ROLES.get(name, [name])


def _steps(path: str) -> Iterator[str]:
    yield "/"
    parts = [part for part in path.split("/") if part]
    for end in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:end])
