"""A stack under another name or on another host: refused while it would begin with empty volumes, unless told.

`movedFrom`: `name` and `place` of the old one; `volumes`: `copy`, or `leave` them where they are; `connection` of its
host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provider.resource import Context, Properties, known
from provider.resources.step import address_of
from provisioning.claim import Problem
from provisioning.errors import ProvisioningError
from provisioning.portainer.volumes import Project, copy_volumes
from provisioning.portainer.wanted import Scene

COPY = "copy"
PATIENCE_S = 900


def unmoved(olds: Properties, news: Properties, volumes: Callable[[], list[str]]) -> Iterator[Problem]:
    """Why a stack may not become another one. `volumes` asks for those of the old one; external ones are not among
    them."""
    if not olds.get("place") or not known(news, "name", "place"):
        return
    old, new = (olds["name"], olds["place"]), (news["name"], news["place"])
    if old == new:
        return
    told = news.get("movedFrom") or {}
    if (told.get("name"), told.get("place")) == old:
        if told.get("volumes") == COPY and not olds.get("keepVolumes", True):
            reason = "copy, but the old stack's volumes go with it; run `up` with `keep_volumes: true` first"
            yield Problem(property="movedFrom", reason=reason)
        return
    try:
        left = volumes()
    except ProvisioningError as error:
        left = [f"unknown, as {error}"]
    if left:
        yield Problem(property="place" if old[1] != new[1] else "name", reason=_procedure(old, new, left))


def bring_volumes(context: Context, scene: Scene, inputs: Properties) -> None:
    """Copy the old stack's named volumes before the new one is deployed; those that are there stay as they are."""
    told = inputs.get("movedFrom") or {}
    if told.get("volumes") != COPY:
        return
    old = str(told["name"])
    if scene.stacks.find(str(inputs["name"])) is not None:
        return
    context.tell(f"copying the volumes of {old} on {told['place']}")
    with scene.hosts.holding(address_of(told), f"stack-{old}-volumes", PATIENCE_S):
        new = Project(address=scene.address, name=str(inputs["name"]))
        copy_volumes(scene.hosts, Project(address=address_of(told), name=old), new)


def _procedure(old: tuple[str, str], new: tuple[str, str], left: list[str]) -> str:
    before = {"host": (old[1], new[1]), "stack": (old[0], new[0])}
    told = ", ".join(f"{key}: {was}" for key, (was, now) in before.items() if was != now)
    return (
        f"{new[0]} on {new[1]} would replace {old[0]} on {old[1]} and begin with empty volumes ({', '.join(left)}); "
        f"say `moved_from: {{{told}, volumes: copy}}` to take them along (it stands still meanwhile), or "
        "`volumes: leave` to begin anew; volumes that are `external: true` are not asked about"
    )
