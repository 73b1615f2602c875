"""Settings, registries, teams and what else needs no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.portainer.conftest import PASSWORD, Start, new_prefix
from tests.portainer.recordings import covers
from tests.portainer.replay import Replay
from tests.portainer.servers import external_password, external_url

Register = Callable[[Replay], Replay]


NAMES = ('"reg"', '"reg2"', '"proget"', '"t"')


@pytest.fixture(scope="module")
def ready(request: pytest.FixtureRequest) -> Iterator[Replay]:
    """A server with an administrator, and an environment without an engine in place of the recorded number 3."""
    if external_url():
        run = Replay(external_url(), new_prefix(), password=external_password())
    else:
        run = Replay(request.getfixturevalue("start")().url, new_prefix())
        run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": PASSWORD})
    run.make_key()
    run.replacements += [(name, f'"{run.prefix}{name[1:]}') for name in NAMES]
    form = {"Name": run.prefix, "EndpointCreationType": "4", "URL": "http://127.0.0.1:1"}
    made = run.ask("POST", "/api/endpoints", files={name: (None, value) for name, value in form.items()})
    run.numbers[("endpoints", "3")] = str(made.json()["Id"])
    settings = run.ask("GET", "/api/settings").json()
    yield run
    changed = ("SnapshotInterval", "UserSessionTimeout", "InternalAuthSettings", "EnableEdgeComputeFeatures")
    run.ask("PUT", "/api/settings", {name: settings[name] for name in changed if settings[name] != ""})
    run.ask("DELETE", f"/api/endpoints/{made.json()['Id']}")
    for kind in ("registries", "teams"):
        for item in run.ask("GET", f"/api/{kind}").json():
            if item["Name"].startswith(run.prefix):
                run.ask("DELETE", f"/api/{kind}/{item['Id']}")


@covers("03-registries", *range(0, 24))
def test_registries_and_their_logins(ready: Replay, replay: Register) -> None:
    run = replay(ready)
    run.play("03-registries", *range(0, 24))
    with pytest.raises(requests.ConnectionError):
        run.ask("DELETE", f"/api/registries/{run.numbers['registries', '3']}")


@covers("05-settings", *range(0, 13), 14)
def test_settings(ready: Replay, replay: Register) -> None:
    run = replay(ready)
    run.play("05-settings", *range(0, 13), 14)


@covers("12-swarm-and-other", 15, *range(17, 26))
def test_teams_templates_and_paths_that_are_not_there(ready: Replay, replay: Register) -> None:
    run = replay(ready)
    run.log_in()
    run.play("12-swarm-and-other", 15, *range(17, 26))


@covers("02-endpoints-tags-groups", *range(0, 12), 15, 16, 21, 28)
def test_tags_groups_and_environments_that_cannot_be(start: Start, replay: Register) -> None:
    run = replay(Replay(start().url, new_prefix()))
    run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": PASSWORD})
    run.make_key()
    run.play("02-endpoints-tags-groups", *range(0, 12), 15, 16, 21, 28)
    assert run.numbers["endpoints", "5"] == "3"  # two failed creates have used up their numbers
