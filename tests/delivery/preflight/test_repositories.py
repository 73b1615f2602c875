"""git: what can be read, and whether a push would be let in, without one being made."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.preflight import repositories as module
from delivery.preflight.check import Status
from delivery.preflight.repositories import check_repositories
from delivery.preflight.scope import Scope
from provisioning.git import GitError, Repository
from settings.portainer import GitStack
from settings.site import Git
from tests.delivery.preflight.scopes import PORTAINER, VM, scope_of
from tests.portainer.repositories import PASSWORD, USER, Repositories, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repositories]:
    folder = tmp_path_factory.mktemp("git")
    with served(folder) as found:
        for name in ("pub", "priv"):
            subprocess.run(["git", "-C", folder / name / "app.git", "config", "http.receivepack", "true"], check=True)
        found.commit({"compose.yaml": "services: {}\n"})
        yield found


@pytest.fixture
def scope(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scope:
    monkeypatch.setenv("HYPERCOMPOSE_GIT_PASSWORD", PASSWORD)
    return scope_of(tmp_path, monkeypatch, vms=[VM], docker={}, portainer=PORTAINER)


def deployments(scope: Scope, server: Repositories, name: str = "priv") -> Any:
    git = Git.model_construct(url=f"{server.url}/{name}", ca=None, user=USER, repository="app")
    patched = scope.site.model_copy(update={"git": git})
    object.__setattr__(scope.program, "site", patched)
    return module._deployments(scope, git, "refs/heads/dev/$(reboot)")


def test_reading_and_pushing_are_told_apart_and_nothing_is_written(scope: Scope, server: Repositories) -> None:
    read, push = deployments(scope, server)
    assert (read.status, push.status) == (Status.PASSED, Status.PASSED)
    assert "speak up only at a real push" in push.detail
    repository = Repository(url=f"{server.url}/priv/app.git", user=USER, password=PASSWORD)
    assert repository.head("refs/heads/dev/$(reboot)") is None


def test_a_wrong_password_is_named_and_never_shown(
    scope: Scope, server: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCOMPOSE_GIT_PASSWORD", "canary")
    read, push = deployments(scope, server)
    assert (read.status, push.status) == (Status.FAILED, Status.NOT_CHECKED)
    assert "refuses the login of gituser" in read.detail
    assert "hypercompose:git_password" in read.remedy
    assert "canary" not in str((read, push))


def test_who_may_only_read_is_told_so(server: Repositories, tmp_path: Path) -> None:
    folder = server._folder / "priv" / "app.git"
    subprocess.run(["git", "-C", folder, "config", "http.receivepack", "false"], check=True)
    try:
        repository = Repository(url=f"{server.url}/priv/app.git", user=USER, password=PASSWORD)
        assert repository.head("HEAD")
        with pytest.raises(GitError):
            repository.may_push("refs/heads/x")
    finally:
        subprocess.run(["git", "-C", folder, "config", "http.receivepack", "true"], check=True)


def test_no_password_is_not_checked(scope: Scope, server: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERCOMPOSE_GIT_PASSWORD")
    read, push = deployments(scope, server)
    assert (read.status, push.status) == (Status.NOT_CHECKED, Status.NOT_CHECKED)
    assert "HYPERCOMPOSE_GIT_PASSWORD" in read.remedy


@pytest.mark.parametrize(
    ("ref", "status", "part"),
    [
        ("refs/heads/main", Status.PASSED, "refs/heads/main of"),
        ("refs/tags/$(reboot)", Status.FAILED, "has no refs/tags/$(reboot)"),
    ],
)
def test_a_ref_of_somebody_elses_is_looked_for(
    scope: Scope, server: Repositories, ref: str, status: Status, part: str
) -> None:
    wanted = GitStack(url=f"{server.url}/pub/app.git", ref=ref, login=False)
    (check,) = module._foreign(scope, "theirs", wanted)
    assert check.status is status
    assert part in check.detail
    assert check.field == "Pulumi.dev.yaml: stacks.theirs.git.ref"


def test_a_stack_without_git_asks_nobody(scope: Scope) -> None:
    assert list(check_repositories(scope)) == []
