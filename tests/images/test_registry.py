"""Which digest a tag has, as registries with and without logins tell it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.images.registry import Registry, RegistryError
from tests.images.registry_server import PASSWORD, USER, RegistryServer, serving

DIGEST = f"sha256:{'a1' * 32}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RegistryServer]:
    with serving(tmp_path) as running:
        running.manifests = {"team/app:1.0": DIGEST, f"team/app:{DIGEST}": DIGEST}
        yield running


def client(server: RegistryServer, password: str = PASSWORD) -> Registry:
    return Registry(host=server.host, ca=server.ca, user=USER, password=password)


@pytest.mark.parametrize("login", ["", "basic", "bearer"])
def test_a_tag_and_a_digest_are_found_with_every_kind_of_login(server: RegistryServer, login: str) -> None:
    server.login = login
    assert client(server).digest("team/app", "1.0") == DIGEST
    assert client(server).digest("team/app", DIGEST) == DIGEST
    assert client(server).digest("team/app", "2.0") is None
    assert {method for method, path in server.asked if path.startswith("/v2/")} == {"HEAD"}
    assert "image.index" in server.accepted and "manifest.list" in server.accepted


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_a_wrong_password_is_said_without_it(server: RegistryServer, login: str) -> None:
    server.login = login
    with pytest.raises(RegistryError, match=r"refuses robot at team/app; look at registry\.user") as raised:
        client(server, "Canary-wrong").digest("team/app", "1.0")
    assert "Canary" not in str(raised.value)


def test_a_login_goes_to_no_realm_without_tls(server: RegistryServer) -> None:
    server.login, server.realm = "bearer", "http://127.0.0.1:9/token"
    with pytest.raises(RegistryError, match="expected https"):
        client(server).digest("team/app", "1.0")


def test_an_untrusted_certificate_and_silence_are_told_apart(server: RegistryServer) -> None:
    with pytest.raises(RegistryError, match="certificate is not trusted"):
        Registry(host=server.host).digest("team/app", "1.0")
    with pytest.raises(RegistryError, match="does not answer"):
        Registry(host="127.0.0.1:9").digest("team/app", "1.0")


def test_the_password_is_in_no_representation() -> None:
    assert "Canary" not in repr(Registry(host="registry", user=USER, password=PASSWORD))
