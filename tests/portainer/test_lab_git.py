"""Stacks from git: made, updated by polling and by webhooks, redeployed, detached; bad commits and bad credentials."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.portainer.conftest import QUICK_LOOP, QUICK_POLL, RECORDED_GIT, RECORDED_IMAGE
from tests.portainer.recordings import covers
from tests.portainer.replay import Replay, wait_for
from tests.portainer.repositories import Repositories
from tests.portainer.servers import Server

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended

Register = Callable[[Replay], Replay]
MAKE, CHANGE, RACE, RESTART = (
    "09-stacks-git",
    "10-stacks-git-update",
    "13-more-git-and-races",
    "17-restart-git-job",
)
NOWHERE = "127.0.0.1:5999/none:1"
WEB = """services:
  web:
    image: {image}
    pull_policy: {policy}
    command: ["sh","-c","echo v1 $$WHO; trap 'exit 0' TERM; while :; do sleep 1; done"]
    environment:
      WHO: "${{WHO:-nobody}}"
      REV: "{revision}"
    labels:
      lab.rev: "{revision}"
"""
SIDE = """services:
  side:
    image: {image}
    pull_policy: never
    command: ["sleep","100000"]
    stop_grace_period: 0s
"""


@pytest.fixture(scope="module")
def run(lab_replay: Replay, repositories: Repositories, image: str) -> Replay:
    """With a first commit in the repositories, and quick polls."""
    lab_replay.replacements += [(RECORDED_GIT, repositories.url), QUICK_POLL]
    bad = _web(image, 1).replace("image:", "imagee:")
    repositories.commit({"docker-compose.yml": _web(image, 1), "bad.yml": bad, "extra.yml": SIDE.format(image=image)})
    return lab_replay


@pytest.fixture
def push(run: Replay, repositories: Repositories, image: str) -> Callable[..., str]:
    """Commits another revision."""
    return lambda revision, **how: repositories.commit(
        {"docker-compose.yml": _web(how.get("image", image), revision, how.get("policy", "never"))}
    )


@covers("09-stacks-git", *range(0, 19))
def test_what_cannot_be_made(run: Replay, replay: Register) -> None:
    replay(run).play(MAKE, *range(0, 19))


@covers("09-stacks-git", 19, 21, *range(23, 28), 30, 31, 33, *range(35, 38))
def test_a_commit_is_deployed_by_polling_and_by_a_webhook(
    run: Replay, replay: Register, push: Callable[..., str]
) -> None:
    replay(run).play(MAKE, 19, 21, *range(23, 27))
    side = _services(run, "g1")["side"]["Id"]
    push(10)
    wait_for(lambda: _revision(run, "g1") == "10")
    push(12)
    wait_for(lambda: _revision(run, "g1") == "12")
    assert _services(run, "g1")["side"]["Id"] == side
    run.ask("POST", f"/api/stacks/create/standalone/string?endpointId={_endpoint(run)}", _plain(run))
    run.play(MAKE, 27, 30)
    assert _revision(run, "g2") == "1"
    run.play(MAKE, 31)
    wait_for(lambda: _revision(run, "g2") == "12")
    run.play(MAKE, 33, *range(35, 38))


@covers("10-stacks-git-update", 1, 2, 4, 6, 7, 8, 9, 11)
def test_redeploying_recreates_and_settings_replace_everything(
    run: Replay, replay: Register, push: Callable[..., str]
) -> None:
    replay(run).play(CHANGE, 1)
    before = _services(run, "g1")
    run.play(CHANGE, 2)
    after = _services(run, "g1")
    assert all(before[name]["Id"] != after[name]["Id"] for name in ("web", "side"))
    run.play(CHANGE, 4, 6, 7, 8, 9)
    push(30)
    time.sleep(1.5)
    assert _revision(run, "g1") == "12"  # no AutoUpdate any more
    run.play(CHANGE, 11)
    wait_for(lambda: _revision(run, "g1") == "30")


@covers("10-stacks-git-update", 18, 19, 25)
def test_a_bad_commit_takes_the_stack_down_and_a_failed_pull_does_not(
    run: Replay, replay: Register, push: Callable[..., str], repositories: Repositories, image: str
) -> None:
    replay(run)
    repositories.commit({"docker-compose.yml": _web(image, 30).replace("image:", "imagee:")})
    wait_for(lambda: "imagee" in _file(run))
    run.play(CHANGE, 18, 19)
    push(40)
    wait_for(lambda: _revision(run, "g1") == "40")
    push(45, image=NOWHERE, policy="always")
    wait_for(lambda: NOWHERE in _file(run))
    time.sleep(0.5)
    run.play(CHANGE, 25)
    assert _revision(run, "g1") == "40"
    push(46, image=NOWHERE)  # with policy never the pull passes, and `up` fails
    wait_for(lambda: not _services(run, "g1"))
    push(47)
    wait_for(lambda: _revision(run, "g1") == "47")


@covers("10-stacks-git-update", 26, 29, 30)
def test_a_stopped_stack_is_not_polled(run: Replay, replay: Register, push: Callable[..., str]) -> None:
    replay(run).play(CHANGE, 26)
    assert not _services(run, "g1")
    push(60)
    time.sleep(1.5)
    assert not _services(run, "g1")
    run.play(CHANGE, 29, 30)
    wait_for(lambda: _revision(run, "g1") == "60")


@covers("13-more-git-and-races", 2)
def test_containers_removed_by_hand_stay_away_and_a_lost_repository_changes_nothing(
    run: Replay, replay: Register, push: Callable[..., str], repositories: Repositories
) -> None:
    replay(run)
    web = _services(run, "g1")["web"]["Id"]
    run.ask("DELETE", f"/api/endpoints/{_endpoint(run)}/docker/containers/{web}?force=1")
    repositories.gone = True
    time.sleep(1.5)
    assert set(_services(run, "g1")) == {"side"}
    repositories.gone = False
    run.play(RACE, 2)
    push(61)
    wait_for(lambda: _revision(run, "g1") == "61")


@covers("10-stacks-git-update", 35, 36, 37, 38, 40, 41, 42, 43)
def test_credentials_are_kept_dropped_and_needed_and_a_text_detaches(run: Replay, replay: Register) -> None:
    replay(run).play(CHANGE, 35, 36, 37)
    before = _services(run, "g2")
    run.play(CHANGE, 38)
    assert _services(run, "g2")["web"]["Id"] == before["web"]["Id"]
    run.play(CHANGE, 40, 41, 42, 43)


@covers("10-stacks-git-update", 0, 44, 46, 48)
def test_any_duration_is_an_interval(run: Replay, replay: Register, repositories: Repositories) -> None:
    replay(run).play(CHANGE, 0, 44)
    before = repositories.requests
    wait_for(lambda: repositories.requests >= before + 2)
    run.play(CHANGE, 46, 48)


@covers("13-more-git-and-races", 4, 13)
def test_interval_and_webhook_together(run: Replay, replay: Register, push: Callable[..., str]) -> None:
    replay(run).play(RACE, 4)
    push(70)
    wait_for(lambda: _revision(run, "g1") == "70")
    run.play(RACE, 13)


@covers("12-swarm-and-other", 16)
def test_one_file_of_a_repository(run: Replay, replay: Register, image: str) -> None:
    run.log_in()
    body = replay(run).play("12-swarm-and-other", 16, any_body=True)
    assert body["FileContent"].startswith("services:\n  side:\n")


@covers("17-restart-git-job", 0, *range(4, 9), 10, 12, 13)
@covers("17-restart-git-job", 2)
def test_polling_goes_on_after_a_restart(
    run: Replay, replay: Register, push: Callable[..., str], lab_server: Server | None
) -> None:
    if lab_server is None:
        pytest.skip("needs a server that the test can restart")
    login = {"Name": f"{run.prefix}reg", "Type": 3, "URL": "127.0.0.1:5000", "Authentication": True}
    registry = run.ask("POST", "/api/registries", login | {"Username": "u", "Password": "p3"}).json()
    run.ask("PUT", f"/api/endpoints/{_endpoint(run)}/registries/{registry['Id']}", {})
    replay(run).play(RESTART, 0)
    run.ask("PUT", "/api/settings", {"UserSessionTimeout": "1h", "SnapshotInterval": "5s"})
    lab_server.stop()
    push(90)
    lab_server.start()
    run.play(RESTART, 2)
    wait_for(lambda: _revision(run, "gr") == "90")
    run.play(RESTART, 4)
    run.ask("PUT", "/api/settings", {"EnableEdgeComputeFeatures": True})
    run.play(RESTART, 5, any_body=True)
    run.play(RESTART, 6, any_body=True)
    run.play(RESTART, 7, any_body=True)
    before = _services(run, "gr")["web"]["Id"]
    run.play(RESTART, 8)
    assert _services(run, "gr")["web"]["Id"] != before  # the short name was good enough to deploy
    run.play(RESTART, 10, 12, 13)


def _web(image: str, revision: int, policy: str = "never") -> str:
    return WEB.format(image=image, revision=revision, policy=policy).replace(*QUICK_LOOP)


def _services(run: Replay, project: str) -> dict[str, Any]:
    return run.containers(project, _endpoint(run))


def _revision(run: Replay, project: str) -> str:
    web = _services(run, project).get("web", {"State": "", "Labels": {}})
    return str(web["Labels"].get("lab.rev")) if web["State"] == "running" else ""


def _file(run: Replay) -> str:
    return str(run.ask("GET", f"/api/stacks/{run.numbers['stacks', '30']}/file").json()["StackFileContent"])


def _plain(run: Replay) -> dict[str, Any]:
    """A stack that is not from git, as the recorded list begins with."""
    content = "services:\n  web:\n    image: " + dict(run.replacements)[RECORDED_IMAGE]
    content += "\n    pull_policy: never\n    stop_grace_period: 0s\n    command: [sleep, '9']\n"
    return {"Name": f"{run.prefix}ext1", "StackFileContent": content}


def _endpoint(run: Replay) -> str:
    return run.numbers["endpoints", "3"]
