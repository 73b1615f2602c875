"""A stack brought to what is wanted: looked at first, deployed, watched until it is well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provisioning.compose.look import ComposeRefused, Seen, look, objections, pull
from provisioning.errors import ProvisioningError
from provisioning.gate.candidate import MARK
from provisioning.portainer.env_values import from_pairs
from provisioning.portainer.gated import Gate
from provisioning.portainer.same_commit import deploy_again
from provisioning.portainer.source_files import project_of
from provisioning.portainer.stacks import INACTIVE, AutoUpdate, Found, Stacks, commit_of
from provisioning.portainer.wanted import NotOurs, Scene, Wanted, owner_of
from provisioning.portainer.watch import Goal, RolloutFailed, Watch

_TAKEN = (
    "name {name}: taken by a compose project outside of Portainer; choose another name, or say `adopt: true` to take "
    "it over"
)


def prepare(scene: Scene, wanted: Wanted) -> Goal:
    """Everything that can be known before anything is touched; the images are on the host afterwards."""
    if wanted.gated:
        return _released(scene, wanted)
    project, commit = project_of(wanted)
    scene.tell("looking at its files on the host")
    seen = look(scene.hosts, scene.address, project)
    against = [*objections(project, seen), *_unowned(scene, wanted, seen)]
    if against:
        raise ComposeRefused("; ".join(against))
    scene.tell("fetching its images")
    pull(scene.hosts, scene.address, project)
    return Goal(
        name=wanted.name,
        images=seen.model.images,
        commit=commit if wanted.source else "",
        timeout_s=wanted.timeout_s,
        secrets=wanted.secrets,
    )


def create(scene: Scene, wanted: Wanted) -> int:
    """Id of the stack: new, ours from an interrupted run, or adopted, and then its containers stay where they can.

    Raises RolloutFailed, ComposeRefused, NotOurs.
    """
    if found := existing(scene, wanted):
        is_ours, is_told = owner_of(found) == wanted.owner, from_pairs(found.get("Env")) == wanted.env
        change(scene, wanted, found, redeploy=is_ours or not (is_told or wanted.commit))
        return int(found["Id"])
    goal = prepare(scene, wanted)
    watch = Watch(scene.stacks, scene.docker, goal, scene.tell)
    identity = watch.during(lambda: _created(scene.stacks, wanted))
    if identity is None:
        raise RolloutFailed("Portainer told no id of the new stack")
    watch.until_well(identity)
    return identity


def change(scene: Scene, wanted: Wanted, found: Found, *, redeploy: bool) -> None:
    """Bring a stack to what is wanted, and start it where it was stopped. `redeploy`: every container is made again."""
    _refuse_other_source(wanted, found)
    goal, identity = prepare(scene, wanted), int(found["Id"])
    before = _Before(
        text=scene.stacks.text(identity) if wanted.inline is not None else "",
        images={container.service: container.image for container in scene.docker.containers(wanted.name)},
    )
    try:
        _carry_out(scene, wanted, goal, found, redeploy=redeploy or found.get("Status") == INACTIVE)
    except RolloutFailed as error:
        if found.get("Status") == INACTIVE:
            stop(scene, wanted, found)
            raise RolloutFailed(f"{error}. It is stopped again") from error
        scene.tell("it failed; bringing back what ran before")
        raise RolloutFailed(f"{error}. {_restored(scene, wanted, found, before)}") from error


def store(scene: Scene, wanted: Wanted, found: Found) -> None:
    """Give Portainer other credentials, another interval or webhook. No container notices. Raises GitError for
    credentials that do not work."""
    if wanted.source is None or wanted.repository is None:
        return
    wanted.repository.head(wanted.source.ref)
    scene.stacks.set_git(int(found["Id"]), wanted.source, wanted.all_env, wanted.update)


def stop(scene: Scene, wanted: Wanted, found: Found) -> None:
    """Remove its containers. No push starts it: Portainer would follow the ref of a stopped stack all the same."""
    if wanted.source is not None:
        _refuse_other_source(wanted, found)
        nothing = AutoUpdate(interval="", webhook="")
        scene.stacks.set_git(int(found["Id"]), wanted.source, wanted.all_env, nothing)
    if found.get("Status") != INACTIVE:
        scene.stacks.stop(int(found["Id"]))


def _carry_out(scene: Scene, wanted: Wanted, goal: Goal, found: Found, *, redeploy: bool) -> None:
    watch, stacks, identity = Watch(scene.stacks, scene.docker, goal, scene.tell), scene.stacks, int(found["Id"])
    watch.remember()
    if wanted.inline is not None:
        text, env = wanted.inline, wanted.all_env
        watch.during(lambda: stacks.put_inline(identity, text, env))
    elif (source := wanted.source) is not None:
        stacks.set_git(identity, source, wanted.all_env, wanted.update)
        is_up = wanted.gated and watch.old  # then the gate has seen to its containers one by one
        if (redeploy and not is_up) or not wanted.update.webhook:
            watch.during(lambda: stacks.redeploy(identity, source, wanted.all_env))
        elif wanted.repository and wanted.commit and wanted.commit == commit_of(found):
            deploy_again(watch, wanted.repository, identity, source, wanted.all_env, wanted.update)
            return
        else:
            stacks.knock(wanted.update.webhook)
    watch.until_well(identity)


@dataclass(frozen=True)
class _Before:
    """What ran, to be brought back."""

    text: str
    images: Mapping[str, str]


def _restored(scene: Scene, wanted: Wanted, found: Found, before: _Before) -> str:
    """What came of bringing back the version before. Portainer itself would leave nothing running."""
    identity, env = int(found["Id"]), from_pairs(found.get("Env"))
    commit = commit_of(found)
    goal = Goal(
        name=wanted.name, images=before.images, commit=commit, timeout_s=wanted.timeout_s, secrets=wanted.secrets
    )
    watch = Watch(scene.stacks, scene.docker, goal, scene.tell)
    try:
        if wanted.inline is not None:
            watch.during(lambda: scene.stacks.put_inline(identity, before.text, env))
        elif wanted.source and wanted.repository and wanted.commit and commit:
            source = wanted.source
            wanted.repository.move(source.ref, commit)
            scene.stacks.set_git(identity, source, env, wanted.update)
            watch.during(lambda: scene.stacks.redeploy(identity, source, env))
        elif wanted.gated:
            return "The gate of its host brings back the version before"
        else:
            return "The ref is not ours, so the version before can only come back by a new commit"
        watch.until_well(identity)
    except ProvisioningError as error:
        return f"The version before could not be brought back either: {error}"
    return f"The version before{f' ({commit[:10]})' if commit else ''} runs again"


def _released(scene: Scene, wanted: Wanted) -> Goal:
    """What the gate has released last."""
    status = Gate(scene.hosts, scene.address).status(wanted.name)
    if status is None:
        raise ComposeRefused("the gate of its host does not follow it; run it again")
    others = [each for each in scene.docker.containers(wanted.name) if MARK not in each.labels]
    if others and not wanted.adopt and not wanted.deployed and scene.stacks.find(wanted.name) is None:
        raise NotOurs(_TAKEN.format(name=wanted.name))
    return Goal(
        name=wanted.name,
        images=status["images"],
        commit=str(status["release"]),
        timeout_s=wanted.timeout_s,
        secrets=wanted.secrets,
    )


def existing(scene: Scene, wanted: Wanted) -> Found | None:
    """The stack of this name if it is ours, or may be adopted. Raises NotOurs."""
    found = scene.stacks.find(wanted.name)
    if found is None:
        return None
    owner = owner_of(found)
    if owner != wanted.owner and not wanted.adopt:
        raise NotOurs(
            f"the name {wanted.name} is taken by {f'the stack of {owner}' if owner else 'a stack that is not ours'}; "
            "choose another name, or say `adopt: true` to take it over"
        )
    return found


def _refuse_other_source(wanted: Wanted, found: Found) -> None:
    """Portainer makes no stack of git from another kind, and changes neither address nor file of one."""
    git = found.get("GitConfig")
    if wanted.source is None:
        return
    now = (git.get("URL", wanted.source.url), git.get("ConfigFilePath") or wanted.source.path) if git else ("", "")
    if now != (wanted.source.url, wanted.source.path):
        was = f"git ({now[0]}, {now[1]})" if git else "a text"
        raise NotOurs(
            f"the stack there is deployed from {was}, which Portainer cannot change to {wanted.source.url}, "
            f"{wanted.source.path}; remove it in Portainer, which keeps its named volumes, and run this again"
        )


def _unowned(scene: Scene, wanted: Wanted, seen: Seen) -> Iterator[str]:
    if wanted.name not in seen.projects or wanted.adopt or wanted.deployed or scene.stacks.find(wanted.name):
        return
    if not _made_by(wanted.owner, scene.docker.labels(wanted.name)):
        yield _TAKEN.format(name=wanted.name)


def _made_by(owner: str, labels: Sequence[Mapping[str, str]]) -> bool:
    """Whether every container of a project has the labels that stacks of that owner get."""
    _, environment, name = owner.split("/", 2)
    wanted = {"hypercompose.env": environment, "hypercompose.stack": name}
    return bool(labels) and all(wanted.items() <= own.items() for own in labels)


def _created(stacks: Stacks, wanted: Wanted) -> Found:
    if wanted.source is not None:
        return stacks.create_git(wanted.name, wanted.source, wanted.all_env, wanted.update)
    return stacks.create_inline(wanted.name, wanted.inline or "", wanted.all_env)
