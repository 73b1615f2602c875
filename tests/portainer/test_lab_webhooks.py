"""Stacks that webhooks alone update: knocks under way, after a failure, and after a clone that was cut off."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.portainer.replay import Replay, wait_for
from tests.portainer.repositories import PASSWORD, USER, Repositories

pytestmark = pytest.mark.lab

STOPS = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
STOPS_SLOWLY = "trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done"
SICK = {"test": ["CMD", "false"], "interval": "200ms", "retries": 1}
FILE = "docker-compose.yml"
LONG_ENOUGH_S = 2.0
"""For a deployment that ought not to come."""


@dataclass
class Stack:
    """One stack, followed by webhook."""

    run: Replay
    repositories: Repositories
    image: str
    project: str
    number: int = 0
    hook: str = ""

    def service(self, revision: int, command: str = STOPS, **more: Any) -> dict[str, Any]:
        """A service that runs until it is stopped."""
        shell = ["sh", "-c", command.replace("$", "$$")]
        return {"image": self.image, "pull_policy": "never", "command": shell, "labels": {"rev": str(revision)}, **more}

    def push(self, **services: dict[str, Any]) -> str:
        """The commit in which these are the services."""
        return self.repositories.commit({FILE: yaml.safe_dump({"services": services})})

    def knock(self) -> None:
        """There may be a commit."""
        assert self.run.ask("POST", f"/api/stacks/webhooks/{self.hook}").status_code == 204

    def deploy(self, **services: dict[str, Any]) -> str:
        """Push, knock, and wait until it is the one that runs."""
        commit = self.push(**services)
        self.knock()
        self.wait_for(commit)
        return commit

    def wait_for(self, commit: str) -> None:
        """Until the stack says that this commit is deployed."""
        wait_for(lambda: self.commit == commit)

    @property
    def commit(self) -> str:
        """The last that was deployed well."""
        return str(self.run.ask("GET", f"/api/stacks/{self.number}").json()["GitConfig"]["ConfigHash"])

    @property
    def containers(self) -> dict[str, str]:
        """Ids by service."""
        found = self.run.containers(self.project, self.run.numbers["endpoints", "3"])
        return {name: item["Id"] for name, item in found.items()}

    @property
    def revisions(self) -> set[str]:
        """Labels of what is there."""
        found = self.run.containers(self.project, self.run.numbers["endpoints", "3"])
        return {item["Labels"]["rev"] for item in found.values()}

    @property
    def login(self) -> dict[str, Any]:
        """What every call about its repository carries."""
        reference = {"RepositoryReferenceName": "refs/heads/main", "RepositoryAuthentication": True}
        return reference | {"RepositoryUsername": USER, "RepositoryPassword": PASSWORD, "Env": []}


@pytest.fixture
def stack(lab_replay: Replay, repositories: Repositories, image: str) -> Iterator[Stack]:
    made = Stack(lab_replay, repositories, image, f"w{uuid.uuid4().hex[:6]}", hook=str(uuid.uuid4()))
    first = made.push(web=made.service(1), side=made.service(1))
    endpoint = lab_replay.numbers["endpoints", "3"]
    body = made.login | {
        "Name": lab_replay.prefix + made.project,
        "RepositoryURL": f"{repositories.url}/priv/app.git",
        "ComposeFile": FILE,
        "AutoUpdate": {"Interval": "", "Webhook": made.hook},
    }
    answer = lab_replay.ask("POST", f"/api/stacks/create/standalone/repository?endpointId={endpoint}", body)
    assert answer.status_code == 200, answer.text
    made.number = answer.json()["Id"]
    assert (made.commit, answer.json()["AutoUpdate"]["JobID"]) == (first, "")
    yield made
    lab_replay.ask("DELETE", f"/api/stacks/{made.number}?endpointId={endpoint}")


def test_only_services_that_differ_are_recreated_and_those_that_are_gone_stay(stack: Stack) -> None:
    before = stack.containers
    stack.deploy(web=stack.service(1), side=stack.service(1))
    assert stack.containers == before
    stack.deploy(web=stack.service(2))
    after = stack.containers
    assert after["web"] != before["web"]
    assert after["side"] == before["side"]


def test_a_knock_while_another_is_under_way_is_queued(stack: Stack) -> None:
    stack.deploy(web=stack.service(2, STOPS_SLOWLY))
    stack.push(web=stack.service(3, STOPS_SLOWLY))
    stack.knock()
    wait_for(lambda: "3" in stack.revisions)
    last = stack.push(web=stack.service(4))
    stack.knock()
    stack.wait_for(last)
    assert stack.revisions == {"1", "4"}  # `side` is gone from the file, and stays


def test_after_a_failed_up_nothing_runs_and_only_another_commit_brings_it_back(
    stack: Stack, repositories: Repositories
) -> None:
    good = stack.commit
    needs_db = stack.service(1, depends_on={"db": {"condition": "service_healthy"}})
    stack.push(web=needs_db, side=stack.service(1), db=stack.service(1, healthcheck=SICK))
    stack.knock()
    wait_for(lambda: not stack.containers)
    assert stack.commit == good
    repositories.reset(good)  # the commit that it was at
    stack.knock()
    time.sleep(LONG_ENOUGH_S)
    assert not stack.containers
    stack.deploy(web=stack.service(1), side=stack.service(1))
    assert set(stack.containers) == {"web", "side"}


def test_a_clone_that_was_cut_off_blocks_the_stack_until_it_is_redeployed(
    stack: Stack, repositories: Repositories
) -> None:
    before, good = stack.containers, stack.commit
    repositories.cuts_clones = True
    stack.push(web=stack.service(2), side=stack.service(1))
    stack.knock()
    wait_for(lambda: repositories.cut)
    repositories.cuts_clones = False
    stack.push(web=stack.service(3), side=stack.service(1))
    stack.knock()
    endpoint = stack.run.numbers["endpoints", "3"]
    settings = stack.login | {"AutoUpdate": {"Interval": "", "Webhook": stack.hook}}
    assert stack.run.ask("POST", f"/api/stacks/{stack.number}/git?endpointId={endpoint}", settings).status_code == 200
    stack.knock()
    time.sleep(LONG_ENOUGH_S)
    assert (stack.containers, stack.commit) == (before, good)
    answer = stack.run.ask("PUT", f"/api/stacks/{stack.number}/git/redeploy?endpointId={endpoint}", stack.login)
    assert answer.status_code == 200, answer.text
    stack.deploy(web=stack.service(4), side=stack.service(1))
    assert stack.revisions == {"4", "1"}
