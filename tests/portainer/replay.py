"""Plays recorded calls against a server: the same requests with this server's numbers, names and addresses."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests

from tests.portainer.comparing import differences
from tests.portainer.recordings import Recorded, recorded

ANSWER_S = 60.0
CA: str | bool = os.environ.get("PORTAINER_CA_FILE") or True
"""Certificate authority of a server elsewhere that the system does not know."""
NUMBERED = ("endpoints", "stacks", "registries", "users", "tags", "endpoint_groups")
IN_QUERIES = ("endpointId=", "%22EndpointID%22%3A%20")


@dataclass
class Replay:
    """One run against one server."""

    url: str
    prefix: str
    """Put before names of stacks and containers, so that runs do not meet."""
    replacements: list[tuple[str, str]] = field(default_factory=list)
    """Recorded text and what stands in its place here; answers are read the other way round."""
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    """This server's number of a record, by kind and recorded number."""
    password: str = "adminpassword12"
    jwt: str = ""
    key: str = ""
    played: set[tuple[str, int]] = field(default_factory=set)

    def play(self, file: str, *indexes: int, **changes: Any) -> Any:
        """Play calls in turn, compare each with its recording, and give back the last answer's body."""
        answer: Any = None
        for index in indexes:
            answer = self._play(recorded(file)[index], changes)
        return answer

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """A call that was not recorded, with the key or token at hand."""
        headers = {"X-API-Key": self.key} if self.key else {"Authorization": f"Bearer {self.jwt}"}
        return self.send(method, path, headers, {"json": body} if body is not None else options)

    def log_in(self, name: str = "admin", password: str = "") -> str:
        """A JWT, kept for the next calls."""
        body = {"username": name, "password": password or self.password}
        answer = self.send("POST", "/api/auth", {}, {"json": body})
        assert answer.status_code == 200, answer.text
        self.jwt = answer.json()["jwt"]
        return self.jwt

    def make_key(self) -> None:
        """Log in and make an API key for all that follows."""
        self.log_in()
        body = {"description": self.prefix, "password": self.password}
        headers = {"Authorization": f"Bearer {self.jwt}"}
        answer = self.send("POST", "/api/users/1/tokens", headers, {"json": body})
        assert answer.status_code == 201, answer.text
        self.key = answer.json()["rawAPIKey"]

    def containers(self, project: str, endpoint: int | str) -> dict[str, dict[str, Any]]:
        """Containers of a Compose project by service, running or not, as the server's Docker proxy shows them."""
        wanted = json.dumps({"label": [f"com.docker.compose.project={self.prefix}{project}"]})
        found = self.ask("GET", f"/api/endpoints/{endpoint}/docker/containers/json?all=1", params={"filters": wanted})
        assert found.status_code == 200, found.text
        return {item["Labels"]["com.docker.compose.service"]: item for item in found.json()}

    def _play(self, call: Recorded, changes: dict[str, Any]) -> Any:
        self.played.add((call.file, call.index))
        path = self.here(changes.get("path") or self._numbered(call.path))
        answer = self.send(call.method, path, self._headers(call, changes), self._content(call, changes))
        where = f"{call.file}[{call.index}] {call.method} {path} ({call.note})"
        assert answer.status_code == call.status, f"{where}: {answer.status_code} {answer.text[:600]}"
        body = self._body(answer)
        if call.answer != "" and not changes.get("any_body"):
            wrong = differences(call.answer, body)
            assert not wrong, f"{where}:\n" + "\n".join(wrong)
        self._learn(call, body)
        return body

    def send(self, method: str, path: str, headers: dict[str, str], content: dict[str, Any]) -> requests.Response:
        """One request, as it is given."""
        url = self.url + path
        return requests.request(
            method, url, headers=headers, timeout=ANSWER_S, verify=CA, allow_redirects=False, **content
        )

    def _headers(self, call: Recorded, changes: dict[str, Any]) -> dict[str, str]:
        given = changes.get("headers") or call.headers
        headers = {name: value for name, value in given.items() if not value.startswith("multipart/")}
        if "<api key>" in headers.get("X-API-Key", ""):
            headers["X-API-Key"] = self.key
        if "<jwt>" in headers.get("Authorization", ""):
            headers["Authorization"] = f"Bearer {self.jwt}"
        return headers

    def _content(self, call: Recorded, changes: dict[str, Any]) -> dict[str, Any]:
        body = changes.get("body", call.body)
        if body is None:
            return {}
        if isinstance(body, str):
            return {"data": body}
        body = json.loads(self.here(json.dumps(body)))
        if isinstance(body.get("Name"), str) and call.path.startswith("/api/stacks"):
            body["Name"] = f"{self.prefix}{body['Name']}"
        if not call.is_form:
            return {"data": json.dumps(body)}
        files = changes.get("files") or {}
        fields = {name: (None, value) for name, value in body.items() if name not in files and value[:5] != "<file"}
        return {"files": fields | files}

    def _body(self, answer: requests.Response) -> Any:
        text = answer.text.replace(self.prefix, "")
        for recorded_text, here in reversed(self.replacements):
            text = text.replace(_in_json(here), _in_json(recorded_text)) if here else text
        return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def here(self, text: str) -> str:
        """A recorded text, JSON or a part of it, as it reads on this server."""
        for recorded_text, here in self.replacements:
            text = text.replace(_in_json(recorded_text), _in_json(here))
        return text

    def _numbered(self, path: str) -> str:
        places = {f"/{kind}/": kind for kind in NUMBERED} | dict.fromkeys(IN_QUERIES, "endpoints")
        for before, kind in places.items():
            path = re.sub(f"{before}(\\d+)", partial(self._numbered_at, before, kind), path)
        return path

    def _numbered_at(self, before: str, kind: str, found: re.Match[str]) -> str:
        return f"{before}{self.numbers.get((kind, found[1]), found[1])}"

    def _learn(self, call: Recorded, body: Any) -> None:
        """Note this server's number of what was made, and the token of a login."""
        if isinstance(body, dict) and "jwt" in body:
            self.jwt = body["jwt"]
        expected = call.answer.get("keys", call.answer) if isinstance(call.answer, dict) else {}
        name = "ID" if "ID" in expected else "Id"
        if call.method == "POST" and name in expected and isinstance(body, dict):
            kind = call.path.split("/")[2].partition("?")[0]
            self.numbers[(kind, str(expected[name]))] = str(body[name])


def wait_for(what: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """The first true value; fails when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        if value := what():
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {timeout_s} s"
        time.sleep(0.1)


def _in_json(text: str) -> str:
    """As it stands inside a JSON string; a text in quotes is such a string already."""
    return text if text.startswith('"') else json.dumps(text)[1:-1]
