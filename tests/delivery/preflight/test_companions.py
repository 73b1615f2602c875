"""Links before a first `up`: who answers, which password is there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.preflight import companions
from delivery.preflight.check import Check, Status
from delivery.preflight.companions import check_companions
from settings.secrets import COMPANION_VARIABLE
from tests.delivery.preflight.scopes import VM, scope_of

EDITS = {"billing": {"edits": [{"file": "a.json", "at": "/a", "value": "x"}]}}
LINK = {"host": "vm-a", "companion": "127.0.0.1", "user": "svc", "services": EDITS}
Look = Callable[..., dict[str, Check]]


@pytest.fixture
def found(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    monkeypatch.delenv(COMPANION_VARIABLE, raising=False)

    def look(other: Any = None, **changes: Any) -> dict[str, Check]:
        scope = scope_of(tmp_path, monkeypatch, other=other, vms=[VM], links={"app": {**LINK, **changes}})
        return {f"{check.name} {check.field.rpartition('.')[2]}".strip(): check for check in check_companions(scope)}

    return look


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(companions, "SMB", server.getsockname()[1])
        yield server.getsockname()[1]


def test_a_companion_that_answers_passes(found: Look, port: int) -> None:
    check = found()["companion companion"]
    assert (check.status, check.subject) == (Status.PASSED, "app")
    assert check.detail == f"127.0.0.1 answers on port {port}; login and rights are tried by `up`, from the host"
    assert check.field == "Pulumi.dev.yaml: links.app.companion"


def test_one_that_does_not_answer_here_may_answer_its_host(found: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companions, "SMB", 1)
    check = found()["companion companion"]
    assert check.status is Status.NOT_CHECKED and "does not answer this machine on port 1" in check.detail


def test_a_missing_password_is_named_with_both_remedies(found: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    check = found()["secret"]
    assert check.status is Status.FAILED
    assert check.remedy == (
        "set HYPERCOMPOSE_COMPANION_PASSWORD, or `pulumi config set --secret --path hypercompose:link_passwords.app`"
    )
    encrypted = {"hypercompose:link_passwords": {"app": {"secure": "v1:x"}}}
    assert found(encrypted)["secret"].status is Status.PASSED
    monkeypatch.setenv(COMPANION_VARIABLE, "p")
    assert found()["secret"].status is Status.PASSED


def test_a_share_of_a_whole_disk_passes_with_advice(found: Look, port: int) -> None:
    check = found(share="M$")["companion share"]
    assert check.status is Status.PASSED and "docs/windows-link.md" in check.remedy
    assert "companion share" not in found()


def test_links_that_are_not_valid_are_not_checked(found: Look) -> None:
    assert [check.status for check in found(host="nobody").values()] == [Status.NOT_CHECKED]
