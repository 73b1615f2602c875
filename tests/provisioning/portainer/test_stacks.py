"""Every call about a stack sends all that the stack is."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.portainer.api import DEPLOY_TIMEOUT_S, PortainerError
from provisioning.portainer.stacks import AutoUpdate, GitSource, Stacks

ENV = {"B": "2", "A": "x y"}
PAIRS = [{"name": "A", "value": '"x y"'}, {"name": "B", "value": "2"}]
OPEN = GitSource(url="https://git.lab/a.git", ref="refs/heads/main", path="web/compose.yaml", additional=("more.yaml",))
LOGIN = GitSource(url="https://git.lab/a.git", ref="refs/heads/main", path="compose.yaml", user="ops", password="pw")
UPDATE = AutoUpdate(interval="5m", webhook="w-1")
SENT_LOGIN = {"RepositoryAuthentication": True, "RepositoryUsername": "ops", "RepositoryPassword": "pw"}


class Server:
    """Records calls; answers with `answer`, or raises it."""

    def __init__(self, answer: Any = None) -> None:
        self.answer, self.calls = answer, list[tuple[str, str, Any, dict[str, Any], float | None]]()

    def call(self, method: str, path: str, *, timeout_s: float | None = None, **arguments: Any) -> Any:
        self.calls.append((method, path, arguments.get("json"), arguments.get("params", {}), timeout_s))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, params=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return self.call("POST", path, json=body, params=query)


def stacks(answer: Any = None) -> tuple[Stacks, Server]:
    server = Server(answer)
    return Stacks(server, 3), server  # type: ignore[arg-type]


def test_a_new_stack_of_text_sends_name_text_and_environment() -> None:
    found, server = stacks({"Id": 7})
    assert found.create_inline("shop", "services: {}", ENV) == {"Id": 7}
    body = {"Name": "shop", "StackFileContent": "services: {}", "Env": PAIRS}
    path = "/stacks/create/standalone/string"
    assert server.calls == [("POST", path, body, {"endpointId": 3}, DEPLOY_TIMEOUT_S)]


def test_a_new_stack_of_git_sends_everything() -> None:
    found, server = stacks({"Id": 7})
    found.create_git("shop", LOGIN, ENV, UPDATE)
    body = {
        "Name": "shop",
        "RepositoryURL": "https://git.lab/a.git",
        "RepositoryReferenceName": "refs/heads/main",
        "ComposeFile": "compose.yaml",
        "AdditionalFiles": [],
        "Env": PAIRS,
        "AutoUpdate": {"Interval": "5m", "Webhook": "w-1"},
        **SENT_LOGIN,
    }
    path = "/stacks/create/standalone/repository"
    assert server.calls == [("POST", path, body, {"endpointId": 3}, DEPLOY_TIMEOUT_S)]


def test_without_a_user_no_login_is_sent_and_git_is_told_so() -> None:
    found, server = stacks({"Id": 7})
    found.create_git("shop", OPEN, {}, AutoUpdate(interval="", webhook=""))
    body = server.calls[0][2]
    assert body["RepositoryAuthentication"] is False
    assert not {"RepositoryUsername", "RepositoryPassword"} & set(body)
    assert (body["AdditionalFiles"], body["AutoUpdate"], body["Env"]) == (["more.yaml"], None, [])


def test_another_text_sends_the_environment_again_and_prunes() -> None:
    found, server = stacks({"Id": 7})
    found.put_inline(7, "services: {}", ENV)
    body = {"StackFileContent": "services: {}", "Env": PAIRS, "Prune": True}
    assert server.calls == [("PUT", "/stacks/7", body, {"endpointId": 3}, DEPLOY_TIMEOUT_S)]


def test_git_settings_send_ref_environment_polling_and_login_again() -> None:
    found, server = stacks({"Id": 7})
    found.set_git(7, LOGIN, ENV, UPDATE)
    (method, path, body, query, timeout_s) = server.calls[0]
    assert (method, path, query, timeout_s) == ("POST", "/stacks/7/git", {"endpointId": 3}, None)
    assert body == {
        "RepositoryReferenceName": "refs/heads/main",
        "Env": PAIRS,
        "AutoUpdate": {"Interval": "5m", "Webhook": "w-1"},
        "Prune": True,
        **SENT_LOGIN,
    }


def test_deploying_anew_sends_ref_environment_and_login_again() -> None:
    found, server = stacks({"Id": 7})
    found.redeploy(7, LOGIN, ENV)
    body = {"RepositoryReferenceName": "refs/heads/main", "Env": PAIRS, "Prune": True, **SENT_LOGIN}
    assert server.calls == [("PUT", "/stacks/7/git/redeploy", body, {"endpointId": 3}, DEPLOY_TIMEOUT_S)]


def test_a_webhook_alone_is_told_too() -> None:
    assert AutoUpdate(interval="", webhook="w").body() == {"Interval": "", "Webhook": "w"}
    assert AutoUpdate(interval="1m", webhook="").body() == {"Interval": "1m", "Webhook": ""}
    assert AutoUpdate(interval="", webhook="").body() is None


def test_knocking_needs_no_body() -> None:
    found, server = stacks()
    found.knock("w-1")
    assert server.calls[0][:2] == ("POST", "/stacks/webhooks/w-1")


def test_a_stack_is_found_by_name_in_its_environment_and_the_first_of_several() -> None:
    listed = [
        {"Id": 12, "Name": "shop", "EndpointId": 3},
        {"Id": 2, "Name": "shop", "EndpointId": 1},
        {"Id": 9, "Name": "shop", "EndpointId": 3},
        {"Id": 1, "Name": "Shop", "EndpointId": 3},
    ]
    found, _ = stacks(listed)
    assert found.find("shop") == listed[2]
    assert found.find("other") is None


def test_a_stack_that_is_gone_is_none_and_other_trouble_is_told() -> None:
    assert stacks(PortainerError(404, "gone", "x"))[0].get(7) is None
    with pytest.raises(PortainerError, match="broken"):
        stacks(PortainerError(500, "broken", "x"))[0].get(7)


def test_the_text_is_the_one_of_the_server() -> None:
    found, server = stacks({"StackFileContent": "services: {}"})
    assert found.text(7) == "services: {}"
    assert server.calls[0][1] == "/stacks/7/file"


@pytest.mark.parametrize(("what", "status"), [("delete", 404), ("stop", 400)])
def test_what_is_so_already_is_no_error_and_everything_else_is(what: str, status: int) -> None:
    found, server = stacks(PortainerError(status, "so already", "x"))
    getattr(found, what)(7)
    assert server.calls[0][3] == {"endpointId": 3}
    with pytest.raises(PortainerError, match="broken"):
        getattr(stacks(PortainerError(500, "broken", "x"))[0], what)(7)


def test_a_stack_that_was_stopped_is_started_without_a_body_and_its_answer_waited_for() -> None:
    found, server = stacks({"Id": 7, "Status": 1})
    assert found.start(7) == {"Id": 7, "Status": 1}
    assert server.calls == [("POST", "/stacks/7/start", None, {"endpointId": 3}, DEPLOY_TIMEOUT_S)]


def test_starting_what_is_started_is_no_error_and_everything_else_is() -> None:
    assert stacks(PortainerError(409, "Stack is already active", "x"))[0].start(7) is None
    for status in (400, 404, 500):
        with pytest.raises(PortainerError, match="broken"):
            stacks(PortainerError(status, "broken", "x"))[0].start(7)


def test_the_password_is_not_shown() -> None:
    assert "pw" not in repr(LOGIN)
