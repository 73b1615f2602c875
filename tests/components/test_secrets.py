"""Secrets: from the configuration, else from the environment; a missing one is named before anything is registered."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.secrets import KEY_FILE_VARIABLE, Secrets
from settings import SettingsError
from settings.secrets import REGISTRY_VARIABLE
from tests.components.recording import record


def program(*, user: str | None = "lab", commands: tuple[str, ...] = ()) -> Any:
    registry = SimpleNamespace(user=user)
    host = SimpleNamespace(docker=SimpleNamespace(registry=registry), commands=commands)
    site = SimpleNamespace(id="lab", registry=registry, git=None)
    return SimpleNamespace(site=site, hosts=[host], stack="dev", stacks=(), links=(), routers={})


def secrets_of(wanted: Any) -> Secrets:
    found: list[Secrets] = []
    record(lambda: found.append(Secrets.of(wanted)))
    return found[0]


def test_the_registrys_password_comes_from_the_environment_and_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGISTRY_VARIABLE, "hunter2")
    password = secrets_of(program()).registry_password
    assert isinstance(password, pulumi.Output)
    assert "hunter2" not in repr(password)


def test_a_missing_password_is_named_with_both_remedies() -> None:
    with pytest.raises(SettingsError, match=rf"registry.user: lab has no password; set {REGISTRY_VARIABLE}, or"):
        secrets_of(program())


def test_nobody_asks_for_a_password_where_nobody_logs_in() -> None:
    assert secrets_of(program(user=None)).registry_password is None


def test_the_private_key_is_read_only_where_a_host_has_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(key))
    found = secrets_of(program(user=None))
    assert found.key_for_commands(program()) is None
    with pytest.raises(SettingsError, match="no such file; `commands` of a host need the private key"):
        found.key_for_commands(program(commands=("x",)))
    key.write_text("PRIVATE")
    assert isinstance(found.key_for_commands(program(commands=("x",))), pulumi.Output)
