"""Environments with an engine, and the Docker API behind the server."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.portainer.comparing import differences
from tests.portainer.conftest import PASSWORD, Start, new_prefix
from tests.portainer.recordings import covers, recorded
from tests.portainer.replay import Replay

pytestmark = pytest.mark.lab

Register = Callable[[Replay], Replay]
ENVIRONMENTS, PROXY = "02-endpoints-tags-groups", "04-docker-proxy"
CREATED = "35817077b0ccb7c7cde95d44cf76c2849b1fadcb248b2342359f851de39ecd40"


@covers("02-endpoints-tags-groups", 12, 13, 14, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 29, 30)
def test_environments_are_looked_at_listed_changed_and_removed(start: Start, replay: Register, engine_url: str) -> None:
    run = replay(Replay(start().url, new_prefix(), [("unix:///var/run/docker.sock", engine_url)]))
    run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": PASSWORD})
    run.make_key()
    run.ask("POST", "/api/tags", {"name": "prod"})
    run.ask("POST", "/api/endpoint_groups", {"Name": "homelab", "TagIDs": [1]})
    run.play(ENVIRONMENTS, 12, 13, 14)
    form = {"Name": "edge1", "EndpointCreationType": "4", "URL": "http://127.0.0.1:9100"}
    edge = run.ask("POST", "/api/endpoints", files={name: (None, value) for name, value in form.items()})
    run.numbers["endpoints", "5"] = str(edge.json()["Id"])
    run.play(ENVIRONMENTS, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 29, 30)
    snapshot = run.ask("GET", f"/api/endpoints/{run.numbers['endpoints', '3']}").json()["Snapshots"][0]
    taken = recorded(ENVIRONMENTS)[18].answer["first"]["Snapshots"][0]
    assert snapshot.keys() == taken.keys() and snapshot["DockerSnapshotRaw"].keys() == taken["DockerSnapshotRaw"].keys()


@covers("04-docker-proxy", *range(0, 35))
def test_the_docker_api_is_passed_on_with_who_may_use_what(lab_replay: Replay, replay: Register) -> None:
    run = replay(lab_replay)
    run.replacements += [("prx", f"{run.prefix}prx"), ("bob", f"{run.prefix}bob")]
    bob = run.ask("POST", "/api/users", {"username": f"{run.prefix}bob", "password": "0123456789ab", "role": 2}).json()
    run.play(PROXY, 0)
    _play_docker(run, 1, 2, 3)
    assert run.play(PROXY, 4) == "OK"
    made = run.play(PROXY, 5, any_body=True)
    assert _block(made)["Type"] == 1 and _block(made)["AdministratorsOnly"] is False
    run.replacements.append((CREATED, made["Id"]))
    run.play(PROXY, 6, 7)
    _play_docker(run, 8, 9)
    run.play(PROXY, 10)
    _play_docker(run, 11, 12, 13, 14, 15, 16)
    run.play(PROXY, 17, 18)
    run.play(PROXY, 19)
    run.jwt = run.log_in(f"{run.prefix}bob", "0123456789ab")
    run.play(PROXY, 20)
    run.play(PROXY, 21, body={"UserAccessPolicies": {str(bob["Id"]): {"RoleId": 0}}}, any_body=True)
    run.ask("PUT", _endpoint(run, "/settings"), {"allowBindMountsForRegularUsers": False})
    run.play(PROXY, *range(22, 35))
    run.ask("DELETE", f"/api/users/{bob['Id']}")


def test_a_pull_names_a_registry_by_its_number_and_sends_its_login(
    lab_replay: Replay, own_engine: tuple[str, list[dict[str, str]]]
) -> None:
    run, (address, seen) = lab_replay, own_engine
    login = {"Name": run.prefix, "Type": 3, "URL": "reg.lab:5000", "Authentication": True}
    made = run.ask("POST", "/api/registries", login | {"Username": "u", "Password": "p?~"}).json()
    form = {"Name": f"{run.prefix}pull", "EndpointCreationType": "1", "URL": address}
    endpoint = run.ask("POST", "/api/endpoints", files={name: (None, value) for name, value in form.items()}).json()
    sent = base64.b64encode(json.dumps({"registryId": made["Id"]}).encode()).decode()
    path = f"/api/endpoints/{endpoint['Id']}/docker/images/create?fromImage=reg.lab%3A5000%2Fa&tag=1"
    for header in (sent, base64.b64encode(b"{}").decode(), "e30"):
        headers = {"X-API-Key": run.key, "X-Registry-Auth": header}
        assert run.send("POST", path, headers, {}).status_code == 200
    run.ask("DELETE", f"/api/endpoints/{endpoint['Id']}")
    run.ask("DELETE", f"/api/registries/{made['Id']}")
    first, empty, foreign = (request.get("X-Registry-Auth") for request in seen[-3:])
    assert json.loads(base64.urlsafe_b64decode(first or "")) == {
        "username": "u", "password": "p?~", "serveraddress": "reg.lab:5000",
    }  # fmt: skip
    assert (empty, foreign) == (None, "e30")
    assert all("X-API-Key" not in request for request in seen)


def _play_docker(run: Replay, *indexes: int) -> None:
    """Calls whose bodies are Docker's own: only what this server adds to them is compared."""
    for index in indexes:
        body, expected = run.play(PROXY, index, any_body=True), recorded(PROXY)[index].answer
        if isinstance(expected, list):
            found: dict[str, Any] = next((item for item in body if _block(item)), {}) if _block(expected[0]) else {}
            assert not differences(_block(expected[0]), _block(found))
        else:
            assert not differences(_block(expected.get("keys", expected)), _block(body))


def _block(body: Any) -> dict[str, Any]:
    return (body.get("Portainer") or {}).get("ResourceControl") or {} if isinstance(body, dict) else {}


def _endpoint(run: Replay, rest: str) -> str:
    return f"/api/endpoints/{run.numbers['endpoints', '3']}{rest}"


@pytest.fixture
def own_engine(tmp_path: Path, lab_server: object) -> Any:
    """An engine of the test's own that notes the headers of pulls."""
    import socketserver
    import threading
    from http.server import BaseHTTPRequestHandler

    if lab_server is None:
        pytest.skip("needs an engine of the test's own, which only a server on this machine reaches")
    seen: list[dict[str, str]] = []
    info = {"ID": "x", "ServerVersion": "1", "NCPU": 1, "MemTotal": 1}

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers: dict[str, Any] = {"/volumes": {"Volumes": []}, "/info": info, "/version": {}}
            self._answer(answers.get(self.path.partition("?")[0], []))

        def do_POST(self) -> None:
            seen.append(dict(self.headers.items()))
            self._answer({"status": "done"})

        def _answer(self, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def address_string(self) -> str:
            return "socket"

    path = tmp_path / "engine.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}", seen
        server.shutdown()
