"""How containers fare, and what they said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioning.compose.containers import Container, plain
from provisioning.portainer.api import PortainerError
from provisioning.portainer.containers import Docker


def frame(text: bytes, stream: int = 1) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


def container(**changes: Any) -> Container:
    usual: dict[str, Any] = {
        "id": "c1", "service": "web", "image": "x", "image_id": "sha256:1", "state": "running", "exit_code": 0,
        "health": "none", "restarts": 0, "restart_policy": "no", "error": "", "said_at_check": "",
    }  # fmt: skip
    return Container(**{**usual, **changes})


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (frame(b"one\n") + frame(b"two\n", 2), ["one", "two"]),
        (frame(b"one ") + frame(b"line\n"), ["one line"]),
        (frame(b"a\nb\n\n  \nc"), ["a", "b", "c"]),
        (frame(b"caf\xc3") + frame(b"\xa9\n"), ["café"]),
        (frame(b"one\r\n"), ["one"]),
        (frame(b"not utf \xff\n"), ["not utf \ufffd"]),
        (frame(b"whole\n") + frame(b"cut off\n")[:11], ["whole", "cut"]),
        (frame(b"") + frame(b"x\n"), ["x"]),
        (b"a terminal\r\nwrites plainly\r\n", ["a terminal", "writes plainly"]),
        (b"\x1b[31mred\x1b[0m\n", ["\x1b[31mred\x1b[0m"]),
        (b"short", ["short"]),
    ],
)
def test_a_log_is_read_with_and_without_dockers_headers(stream: bytes, lines: list[str]) -> None:
    assert plain(stream) == lines


def test_a_header_that_was_cut_off_is_no_line() -> None:
    assert plain(frame(b"whole\n") + frame(b"lost\n")[:5]) == ["whole"]


WELL, DONE, FAILED = "well", "done", "failed"


@pytest.mark.parametrize(
    ("changes", "is_", "told"),
    [
        ({}, {WELL}, "running"),
        ({"health": "healthy"}, {WELL}, "healthy"),
        ({"health": "starting"}, set(), "starting"),
        ({"health": "unhealthy"}, {FAILED}, "unhealthy"),
        ({"state": "exited"}, {WELL, DONE}, "exited (0)"),
        ({"state": "exited", "restart_policy": ""}, {WELL, DONE}, "exited (0)"),
        ({"state": "exited", "restart_policy": "on-failure"}, {WELL, DONE}, "exited (0)"),
        ({"state": "exited", "restart_policy": "always"}, {FAILED}, "exited (0)"),
        ({"state": "exited", "restart_policy": "unless-stopped"}, {FAILED}, "exited (0)"),
        ({"state": "exited", "exit_code": 137}, {FAILED}, "exited (137)"),
        ({"state": "restarting", "exit_code": 1}, set(), "restarting (1)"),
        ({"state": "dead", "exit_code": 2}, {FAILED}, "dead (2)"),
        ({"state": "created"}, set(), "created"),
        ({"state": "paused"}, set(), "paused"),
        ({"state": "created", "error": "port is taken"}, set(), "created: port is taken"),
    ],
)
def test_what_a_state_means(changes: dict[str, Any], is_: set[str], told: str) -> None:
    found = container(**changes)
    facts = {WELL: found.is_well, DONE: found.is_done, FAILED: found.has_failed}
    assert {name for name, holds in facts.items() if holds} == is_
    assert found.told() == told


class Server:
    """Answers by path."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str, dict[str, Any]]]()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        self.asked.append((method, path, arguments))
        answer = self.answers.get(path, PortainerError(404, "No such thing", path))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, params=query)

    def delete(self, path: str, **query: Any) -> Any:
        return self.call("DELETE", path, params=query)


def docker(answers: dict[str, Any]) -> tuple[Docker, Server]:
    server = Server({f"/endpoints/3/docker{path}": answer for path, answer in answers.items()})
    return Docker(server, 3), server  # type: ignore[arg-type]


def inspected(identity: str, service: str, **state: Any) -> dict[str, Any]:
    return {
        "Id": identity,
        "Image": "sha256:9",
        "RestartCount": 2,
        "Config": {"Image": "web@sha256:1", "Labels": {"com.docker.compose.service": service}},
        "HostConfig": {"RestartPolicy": {"Name": "always"}},
        "State": {"Status": "running", "ExitCode": 0, **state},
    }


def test_containers_of_a_project_are_told_by_service_and_those_replaced_meanwhile_are_left_out() -> None:
    checks = [{"ExitCode": 1, "Output": "connection\n refused "}, {"ExitCode": 0, "Output": "ok"}]
    found, server = docker(
        {
            "/containers/json": [{"Id": "b"}, {"Id": "gone"}, {"Id": "a"}],
            "/containers/b/json": inspected("b", "web", Health={"Status": "unhealthy", "Log": checks}),
            "/containers/a/json": inspected("a", "api"),
        }
    )
    first, second = found.containers("shop")
    assert (first.service, first.health, first.restarts, first.restart_policy) == ("api", "none", 2, "always")
    assert (second.service, second.health, second.said_at_check) == ("web", "unhealthy", "connection refused")
    assert (second.image, second.image_id) == ("web@sha256:1", "sha256:9")
    query = server.asked[0][2]["params"]
    assert query["all"] == 1
    labels = ["com.docker.compose.project=shop", "com.docker.compose.oneoff=False"]
    assert json.loads(query["filters"]) == {"label": labels}


def test_trouble_other_than_a_missing_container_is_told() -> None:
    broken = PortainerError(500, "engine", "GET x")
    found, _ = docker({"/containers/json": [{"Id": "a"}], "/containers/a/json": broken})
    with pytest.raises(PortainerError, match="engine"):
        found.containers("shop")


def test_logs_are_the_last_lines_and_none_for_a_container_that_is_gone() -> None:
    text = b"".join(frame(f"line {number}\n".encode()) for number in range(20))
    found, server = docker({"/containers/a/logs": text})
    assert found.logs("a") == [f"line {number}" for number in range(8, 20)]
    assert server.asked[0][2] == {"params": {"stdout": 1, "stderr": 1, "tail": 12}, "raw": True}
    assert found.logs("gone") == []


def test_an_image_that_is_not_there_is_none() -> None:
    found, _ = docker({"/images/web@sha256:1/json": {"Id": "sha256:9"}})
    assert found.image("web@sha256:1") == {"Id": "sha256:9"}
    assert found.image("other") is None


def test_volumes_are_those_of_the_project() -> None:
    found, server = docker({"/volumes": {"Volumes": [{"Name": "shop_data"}]}, "/volumes/shop_data": None})
    assert found.volumes("shop") == ["shop_data"]
    found.remove_volume("shop_data")
    assert server.asked[-1][:2] == ("DELETE", "/endpoints/3/docker/volumes/shop_data")
    none, _ = docker({"/volumes": {"Volumes": None}})
    assert none.volumes("shop") == []


def test_what_a_project_left_is_removed_with_its_networks() -> None:
    listed = [{"Id": "a"}, {"Id": "b"}]
    left, server = docker({"/containers/json": listed, "/containers/a": None, "/networks/prune": {}})
    assert left.remove_rest("shop")  # b was removed by somebody in between
    done = [(method, path.removeprefix("/endpoints/3/docker")) for method, path, _ in server.asked[1:]]
    assert done == [("DELETE", "/containers/a"), ("DELETE", "/containers/b"), ("POST", "/networks/prune")]
    none, server = docker({"/containers/json": []})
    assert not none.remove_rest("shop") and len(server.asked) == 1
    busy, _ = docker({"/containers/json": listed, "/containers/a": PortainerError(500, "no", "x")})
    with pytest.raises(PortainerError):
        busy.remove_rest("shop")
