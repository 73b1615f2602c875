"""`hypercompose:portainer:Stack`: a compose stack that runs as its files say, deployed by Portainer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from provider.resource import Context, HalfMade, Properties, Resource
from provider.resources.portainer.session import server_of, told
from provider.resources.portainer.stack_inputs import address_of, problems, wanted_of
from provider.resources.portainer.stack_move import bring_volumes, unmoved
from provisioning.claim import Problem
from provisioning.compose.containers import Container
from provisioning.errors import ProvisioningError
from provisioning.portainer.api import PortainerError
from provisioning.portainer.containers import Docker
from provisioning.portainer.env_values import from_pairs
from provisioning.portainer.rollout import change, create, existing, stop, store
from provisioning.portainer.stacks import INACTIVE, Found, Stacks, commit_of
from provisioning.portainer.wanted import OWNER, Scene, Wanted, owner_of
from provisioning.portainer.watch import RolloutFailed
from provisioning.steps.kind import AS_WANTED

PATIENCE_S = 900
IN_USE = 409
WAYS = frozenset(
    {"server", "connection", "ca", "adopt", "keepVolumes", "allowedPaths", "timeoutS", "hide", "place", "movedFrom"}
)
"""Inputs about how it is done: nothing is deployed when only these change."""
STORED = frozenset({"user", "password", "interval", "webhookGeneration"})
"""Inputs that Portainer only has to know: no container notices."""
STARTED, STOPPED = "started", "stopped"


class Stack(Resource):
    """See `stack_inputs` for its inputs; gives `stackId`, `webhook`, `running` (image by service), `runningCommit`."""

    type = "hypercompose:portainer:Stack"
    stable: ClassVar[frozenset[str]] = frozenset({"stackId"})
    replace_on = frozenset({"vm", "name", "environmentId", "url", "path", "additional"})
    secrets: ClassVar[frozenset[str]] = frozenset({"webhook"})
    delete_before_replace = True
    defaults: ClassVar[Mapping[str, Any]] = {"state": AS_WANTED, "run": STARTED}

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterable[Problem]:
        """What can be told without its host; for one that moves, whether its volumes are seen to."""
        return [*problems(news), *unmoved(olds, news, lambda: _docker(olds).volumes(str(olds["name"])))]

    def replaces(self, olds: Properties, news: Properties) -> frozenset[str]:
        """A server whose data was lost gives other numbers to the same environments."""
        old, new = (inputs.get("server") for inputs in (olds, news))
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            return self.replace_on  # not known while a server is replaced
        is_anew = old.get("url") == new.get("url") and old.get("data") != new.get("data")
        return self.replace_on - {"environmentId"} if is_anew else self.replace_on

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Deploy it. One that was made and is not well stays in the state: the next run goes on with it."""
        identity, webhook = (
            f"{inputs['server']['url']}/stacks/{inputs['name']}",
            str(inputs.get("hook") or uuid.uuid4()),
        )
        wanted = wanted_of(inputs, webhook)
        scene = _scene(context, inputs)
        with _named(inputs), scene.hosts.holding(scene.address, f"stack-{wanted.name}", PATIENCE_S):
            bring_volumes(context, scene, inputs)
            try:
                number = create(scene, wanted)
                if inputs.get("run") == STOPPED:
                    stop(scene, wanted, scene.stacks.get(number) or {"Id": number})
            except RolloutFailed as error:
                if scene.stacks.find(wanted.name) is None:
                    raise
                raise HalfMade(identity, f"{_where(inputs)}: {error}") from error
            return identity, _outputs(scene, wanted, number)

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """As the server and its Docker have it; None where the server has no such stack of ours."""
        if "server" not in state:
            raise ProvisioningError(NO_IMPORT)

        def ask() -> Properties | None:
            stacks = _stacks(state)
            # a server that was made anew may have given the number to another stack
            found = stacks.get(int(state.get("stackId") or 0))
            found = found if found and found["Name"] == state["name"] else stacks.find(str(state["name"]))
            if found is None or owner_of(found) != state["owner"]:
                return None
            containers = _docker(state).containers(str(state["name"]))
            facts = {**_facts(found, containers), "running": _wanted_images(state, found, containers)}
            return {**state, **_inputs_now(stacks, state, found, containers), **facts}

        return told(context, urn, state, ask)

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Bring it to the new inputs; where that fails, what ran before comes back."""
        olds = {"run": STARTED, "webhookGeneration": news.get("webhookGeneration"), **olds}  # of a state without them
        changed = {name for name in {*olds, *news} - _OUTPUTS if olds.get(name) != news.get(name)}
        kept = "" if "webhookGeneration" in changed else str(olds.get("webhook") or "")
        scene, wanted = _scene(context, news), wanted_of(news, str(news.get("hook") or kept or uuid.uuid4()))
        with _named(news), scene.hosts.holding(scene.address, f"stack-{wanted.name}", PATIENCE_S):
            found = existing(scene, wanted)
            if found is None:
                ours = "stackId" in olds and olds.get("owner") == news["owner"]
                number = create(scene, replace(wanted, deployed=ours))
                found = scene.stacks.get(number) or {"Id": number}
            elif news.get("run") == STARTED and (changed - WAYS or "stackId" not in olds):
                _bring_about(scene, wanted, found, changed if "stackId" in olds else _ALL)
            if news.get("run") == STOPPED:
                stop(scene, wanted, found)
            return _outputs(scene, wanted, int(found["Id"]))

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Remove it; its named volumes stay unless `keepVolumes` is false."""
        scene, name = _scene(context, state), str(state["name"])
        with _named(state), scene.hosts.holding(scene.address, f"stack-{name}", PATIENCE_S):
            found = scene.stacks.find(name)
            if found is not None and owner_of(found) == state["owner"]:
                scene.stacks.delete(int(found["Id"]))
                _stay_gone(scene.docker, name)
                for volume in () if state.get("keepVolumes", True) else scene.docker.volumes(name):
                    _remove_volume(context, scene.docker, volume)


_OUTPUTS = frozenset({"stackId", "webhook", "running", "runningCommit"})
_ALL = frozenset({"state"})
LOOKS, CALM_LOOKS, LOOK_S = 15, 2, 1.0
NO_IMPORT = (
    "a stack is not imported: what it is made of is not in its id. Declare it in the settings under the same name with "
    "`adopt: true`; `up` takes it over where it runs, and its volumes stay"
)


def _bring_about(scene: Scene, wanted: Wanted, found: Found, changed: Set[str]) -> None:
    """Not more than the change needs. A container that is not well is made again; so is every one of a ref that is not
    ours when its environment changes, as there is no commit to deploy."""
    if changed <= WAYS | STORED and found.get("Status") != INACTIVE:
        store(scene, wanted, found)
    else:
        change(scene, wanted, found, redeploy="state" in changed or ("env" in changed and not wanted.commit))


def _stay_gone(docker: Docker, name: str) -> None:
    """A deployment that was on its way while the stack was deleted goes on, and makes its containers again."""
    calm = 0
    for _ in range(LOOKS):
        calm = 0 if docker.remove_rest(name) else calm + 1
        if calm == CALM_LOOKS:
            return
        time.sleep(LOOK_S)


def _remove_volume(context: Context, docker: Docker, name: str) -> None:
    try:
        docker.remove_volume(name)
    except PortainerError as error:
        if error.status != IN_USE:
            raise
        context.warn("", f"volume {name}: stays, as containers of others use it")


def _stacks(inputs: Properties) -> Stacks:
    return Stacks(server_of(inputs), int(inputs["environmentId"]))


def _docker(inputs: Properties) -> Docker:
    return Docker(server_of(inputs), int(inputs["environmentId"]))


def _scene(context: Context, inputs: Properties) -> Scene:
    return Scene(
        hosts=context.hosts,
        address=address_of(inputs),
        stacks=_stacks(inputs),
        docker=_docker(inputs),
        tell=context.tell,
    )


def _outputs(scene: Scene, wanted: Wanted, number: int) -> Properties:
    found = scene.stacks.get(number) or {}
    return {**_facts(found, scene.docker.containers(wanted.name)), "webhook": wanted.update.webhook}


def _facts(found: Found, containers: list[Container]) -> Properties:
    return {
        "stackId": int(found.get("Id") or 0),
        "running": {container.service: container.image for container in containers},
        "runningCommit": commit_of(found),
    }


def _inputs_now(stacks: Stacks, state: Properties, found: Found, containers: list[Container]) -> Properties:
    """The inputs that can drift."""
    env = {name: value for name, value in from_pairs(found.get("Env")).items() if name != OWNER}
    git, is_stopped = found.get("GitConfig"), found.get("Status") == INACTIVE
    now: dict[str, Any] = {"run": STOPPED if is_stopped else STARTED, "state": AS_WANTED}
    if git is not None:
        now |= {"env": env, "ref": str(git["ReferenceName"])}
    if not is_stopped:  # of a stopped one, Portainer knows what ran last
        now |= {"env": env, "state": "; ".join(_unwell(state, found, containers)) or AS_WANTED}
        now |= _deployed_now(stacks, state, found)
    return {name: value for name, value in now.items() if name in state}


def _deployed_now(stacks: Stacks, state: Properties, found: Found) -> Properties:
    if found.get("GitConfig") is None:
        return {"inline": stacks.text(int(found["Id"]))}
    interval = str((found.get("AutoUpdate") or {}).get("Interval") or "")
    return {"interval": interval, **({"commit": commit_of(found)} if state.get("commit") else {})}


def _unwell(state: Properties, found: Found, containers: list[Container]) -> Iterator[str]:
    for service in sorted(set(state.get("running") or ()) - {container.service for container in containers}):
        yield f"{service} has no container"
    wanted = _wanted_images(state, found, containers)
    for container in containers:
        if not container.is_well and container.health != "starting":
            yield f"{container.service} is {container.told()}"
        elif container.image != wanted[container.service]:
            yield f"{container.service} runs {container.image} (wanted {wanted[container.service]})"


def _wanted_images(state: Properties, found: Found, containers: list[Container]) -> dict[str, str]:
    """Image by service. While the commit is the same, what was recorded stays: `state` tells what runs in its place,
    and still does so after a refresh."""
    now = {container.service: container.image for container in containers}
    same = commit_of(found) == state.get("runningCommit")
    return {**now, **(state.get("running") or {})} if same else now


def _where(inputs: Properties) -> str:
    return f"stack {inputs['name']} on {inputs['connection']['host']}"


@contextmanager
def _named(inputs: Properties) -> Iterator[None]:
    """Every error says which stack it is about."""
    try:
        yield
    except HalfMade:
        raise
    except ProvisioningError as error:
        raise ProvisioningError(f"{_where(inputs)}: {error}") from error
