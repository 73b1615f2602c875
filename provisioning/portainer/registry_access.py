"""Who besides administrators may use a registry in an environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.portainer.api import Portainer, PortainerError

_KINDS = (("users", "Username", "UserAccessPolicies"), ("teams", "Name", "TeamAccessPolicies"))


@dataclass(frozen=True, kw_only=True)
class Who:
    """Names of users and of teams, in their order."""

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


def give_access(server: Portainer, environment: int, registry: int, who: Who) -> None:
    """These and nobody else. Raises ProvisioningError for a name that the server does not know."""
    body: dict[str, Any] = {"Namespaces": []}
    for kind, field, policies in _KINDS:
        known = {str(entry[field]): int(entry["Id"]) for entry in server.get(f"/{kind}")}
        names: Iterable[str] = getattr(who, kind)
        if unknown := sorted(set(names) - set(known)):
            raise ProvisioningError(
                f"portainer.registry_{kind}: {unknown[0]!r}, expected one of {', '.join(sorted(known)) or 'none'}; "
                "make it in Portainer, or leave it out"
            )
        body[policies] = {str(known[name]): {"RoleId": 0} for name in names}
    server.put(f"/endpoints/{environment}/registries/{registry}", body)


def access_of(server: Portainer, environment: int, registry: int) -> Who | None:
    """Who has it; None where the registry is gone."""
    try:
        found = server.get(f"/registries/{registry}")
    except PortainerError as error:
        if error.status == 404:
            return None
        raise
    given: Mapping[str, Any] = (found.get("RegistryAccesses") or {}).get(str(environment)) or {}
    names = {}
    for kind, field, policies in _KINDS:
        ids = set(given.get(policies) or ())
        names[kind] = tuple(sorted(str(entry[field]) for entry in server.get(f"/{kind}") if str(entry["Id"]) in ids))
    return Who(**names)
