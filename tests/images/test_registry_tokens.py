"""Registries that send for a token first, and what they may answer instead of a digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from provisioning.images.registry import Registry, RegistryError
from tests.images.registry_server import BASIC, PASSWORD, TOKEN, USER, RegistryServer, serving

DIGEST = f"sha256:{'b2' * 32}"
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RegistryServer]:
    with serving(tmp_path) as running:
        running.login, running.manifests = "bearer", {"team/app:1.0": DIGEST}
        yield running


def digest(server: RegistryServer, user: str = USER) -> str | None:
    return Registry(host=server.host, ca=server.ca, user=user, password=PASSWORD).digest("team/app", "1.0")


def answering(server: RegistryServer, path: str, given: Callable[[str], Answer]) -> None:
    """Let the server answer as given where the path starts so, as ever elsewhere."""
    usual = server.answer

    def answer(asked: str, authorization: str) -> Answer:
        return given(authorization) if asked.startswith(path) else usual(asked, authorization)

    server.answer = answer  # type: ignore[assignment, method-assign]


def test_the_realm_is_asked_for_service_and_scope_as_the_registry_named_them(server: RegistryServer) -> None:
    assert digest(server) == DIGEST
    (asked,) = [path for _, path in server.asked if path.startswith("/token")]
    assert parse_qs(urlsplit(asked).query) == {"service": ["registry"], "scope": ["repository:team/app:pull"]}


def test_the_password_goes_to_the_realm_and_the_token_to_the_registry(server: RegistryServer) -> None:
    seen: list[tuple[str, str]] = []
    usual = server.answer

    def watch(path: str, login: str) -> Answer:
        seen.append((path.partition("?")[0], login))
        return usual(path, login)

    server.answer = watch  # type: ignore[assignment, method-assign]
    assert digest(server) == DIGEST
    assert seen[1:] == [("/token", BASIC), ("/v2/team/app/manifests/1.0", f"Bearer {TOKEN}")]


def test_a_token_called_access_token_is_taken_too(server: RegistryServer) -> None:
    answering(server, "/token", lambda login: (200, {}, json.dumps({"access_token": TOKEN}).encode()))
    assert digest(server) == DIGEST


def test_nobody_gets_a_token_without_a_login(server: RegistryServer) -> None:
    logins: list[str] = []

    def anonymous(login: str) -> Answer:
        logins.append(login)
        return 200, {}, json.dumps({"token": TOKEN}).encode()

    answering(server, "/token", anonymous)
    assert digest(server, user="") == DIGEST and logins == [""]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"'])
def test_a_realm_that_gives_no_token_is_named(server: RegistryServer, body: bytes) -> None:
    answering(server, "/token", lambda login: (200, {}, body))
    with pytest.raises(RegistryError, match=f"{server.host}: gives no token") as raised:
        digest(server)
    assert "Canary" not in str(raised.value)


def test_a_realm_that_does_not_answer_is_told(server: RegistryServer) -> None:
    server.realm = "https://127.0.0.1:9/token"
    with pytest.raises(RegistryError, match=r"gives no token \(ConnectionError\)"):
        digest(server)


@pytest.mark.parametrize("user", [USER, ""])
def test_a_forbidden_repository_names_who_asked_and_not_the_password(server: RegistryServer, user: str) -> None:
    answering(server, "/v2/", lambda login: (403, {}, b"{}"))
    with pytest.raises(RegistryError, match=f"refuses {user or 'nobody'} at team/app") as raised:
        digest(server, user)
    assert "Canary" not in str(raised.value)


@pytest.mark.parametrize("status", [200, 307, 429, 500])
def test_an_answer_without_a_digest_is_told_with_its_status(server: RegistryServer, status: int) -> None:
    answering(server, "/v2/", lambda login: (status, {}, b""))
    with pytest.raises(RegistryError, match=f"team/app:1.0: answers {status} without a digest"):
        digest(server)


def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that nobody answers at, for everything."""
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_manifests_are_asked_for_past_a_proxy_of_the_shell(
    server: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.login = "basic"
    proxied(monkeypatch)
    assert digest(server) == DIGEST


def test_tokens_are_asked_for_past_a_proxy_of_the_shell(
    server: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied(monkeypatch)
    assert digest(server) == DIGEST
