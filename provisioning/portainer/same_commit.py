"""The same commit deployed again with another environment, and only the containers replaced that it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from provisioning.git import Repository
from provisioning.portainer.stacks import AutoUpdate, GitSource
from provisioning.portainer.watch import Watch


def deploy_again(
    watch: Watch,
    repository: Repository,
    identity: int,
    source: GitSource,
    env: Mapping[str, str],
    update: AutoUpdate,
) -> None:
    """By way of a commit with the same files on a ref beside: Portainer's redeployment makes every container again, and
    its webhook does nothing for a commit that runs. Raises RolloutFailed."""
    beside, goal = replace(source, ref=f"{source.ref}.again"), watch.goal
    commit = repository.follow_up(beside.ref, goal.commit, "The same files, for another environment")
    try:
        watch.stacks.set_git(identity, beside, env, AutoUpdate(interval="", webhook=update.webhook))
        watch.goal = replace(goal, commit=commit)
        watch.stacks.knock(update.webhook)
        watch.until_well(identity)
    finally:
        watch.goal = goal
        watch.stacks.set_git(identity, source, env, update)
    watch.stacks.knock(update.webhook)
    watch.until_well(identity)
    repository.remove(beside.ref)
