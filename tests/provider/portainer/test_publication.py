"""A ref of ours as a resource: paths stay inside, what others pushed is drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provider.configuration import CHECKOUT
from provider.resource import Context
from provider.resources import publication as module
from provider.resources.password import ALPHABET, Password
from provider.resources.publication import Publication, repository_of
from provider.values import UNKNOWN
from provisioning.git import GitError

URN = "urn:pulumi:dev::hypercompose::hypercompose:git:Publication::shop-files"
INPUTS: dict[str, Any] = {
    "url": "https://git.lab/a.git", "ref": "refs/heads/dev/shop", "files": {"compose.yaml": "services: {}"},
    "message": "shop in dev", "user": "ops", "password": "pw",
}  # fmt: skip
STATE = {**INPUTS, "commit": "a" * 40}


class Repository:
    """One ref, or none, or a server that is away."""

    def __init__(self, commit: str | None = "a" * 40, files: Mapping[str, bytes] | None = None) -> None:
        self.commit, self.files, self.away = commit, dict(files or {}), False
        self.done: list[tuple[Any, ...]] = []

    def head(self, ref: str) -> str | None:
        if self.away:
            raise GitError("https://git.lab/a.git: the git server does not answer")
        return self.commit

    def snapshot(self, ref: str) -> tuple[str | None, dict[str, bytes]]:
        return self.commit, self.files

    def publish(self, ref: str, files: Mapping[str, str], message: str) -> str:
        self.done.append(("publish", ref, dict(files), message))
        return "b" * 40

    def remove(self, ref: str) -> None:
        self.done.append(("remove", ref))


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Repository:
    found = Repository()
    monkeypatch.setattr(module, "repository_of", lambda inputs: found)
    return found


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def context(warned: list[str]) -> Context:
    return Context(proxmox=None, load_ssh=lambda: None, warn=lambda urn, text: warned.append(text))  # type: ignore[arg-type,return-value]


def refused(context: Context, *paths: str) -> list[str]:
    news = {**INPUTS, "files": dict.fromkeys(paths, "x")}
    return [problem.reason for problem in Publication().check(context, URN, {}, news)]


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a/..", "/etc/passwd", ".git/config", "a/.git/hooks/x", ".git"])
def test_a_path_that_leads_outside_is_refused(context: Context, path: str) -> None:
    assert refused(context, "compose.yaml", path) == [f"{path!r}, expected a path inside the repository"]


@pytest.mark.parametrize("path", ["a", "a/b.txt", "..a", "a..b/c", ".gitignore", "x.git/a", "a b"])
def test_a_path_inside_is_taken(context: Context, path: str) -> None:
    assert refused(context, path) == []


@pytest.mark.parametrize("path", ["./a", "a//b", "a/", "", ".GIT/config"])
def test_a_path_that_git_refuses_is_refused_before(context: Context, path: str) -> None:
    assert refused(context, path)


def test_files_that_are_not_known_before_up_are_not_judged(context: Context) -> None:
    assert list(Publication().check(context, URN, {}, {**INPUTS, "files": UNKNOWN})) == []


def test_creating_and_updating_push_the_files(context: Context, repository: Repository) -> None:
    identity, outputs = Publication().create(context, INPUTS)
    assert (identity, outputs) == ("https://git.lab/a.git#refs/heads/dev/shop", {"commit": "b" * 40})
    assert Publication().update(context, STATE, {**INPUTS, "files": {"x": "y"}}) == {"commit": "b" * 40}
    assert repository.done == [
        ("publish", "refs/heads/dev/shop", {"compose.yaml": "services: {}"}, "shop in dev"),
        ("publish", "refs/heads/dev/shop", {"x": "y"}, "shop in dev"),
    ]


def test_a_ref_that_nobody_pushed_to_is_as_it_was(context: Context, repository: Repository) -> None:
    assert Publication().read(context, URN, "id", STATE) == STATE


def test_files_that_others_pushed_are_drift(context: Context, repository: Repository) -> None:
    repository.commit, repository.files = "c" * 40, {"compose.yaml": b"services: {a: {}}", "logo": b"\xff"}
    now = Publication().read(context, URN, "id", STATE)
    assert now == {**STATE, "commit": "c" * 40, "files": {"compose.yaml": "services: {a: {}}", "logo": "\ufffd"}}


def test_a_ref_that_is_gone_is_gone(context: Context, repository: Repository) -> None:
    repository.commit = None
    assert Publication().read(context, URN, "id", STATE) is None


def test_a_server_that_is_away_is_a_warning_and_the_old_state(
    context: Context, repository: Repository, warned: list[str]
) -> None:
    repository.away = True
    assert Publication().read(context, URN, "id", STATE) == STATE
    assert warned == ["not read, so nothing is known of it: https://git.lab/a.git: the git server does not answer"]


def test_deleting_removes_the_ref(context: Context, repository: Repository) -> None:
    Publication().delete(context, "id", STATE)
    assert repository.done == [("remove", "refs/heads/dev/shop")]


def test_another_repository_and_another_ref_are_another_publication() -> None:
    assert {"url", "ref"} <= Publication.replace_on


def test_a_ca_is_looked_for_from_the_checkout() -> None:
    assert repository_of({**INPUTS, "ca": ".lab/ca.pem"}).ca == str(CHECKOUT / ".lab/ca.pem")
    assert repository_of({**INPUTS, "ca": "/etc/ca.pem"}).ca == "/etc/ca.pem"
    assert repository_of(INPUTS).ca is None


def test_a_password_has_its_length_and_no_character_that_means_anything(context: Context) -> None:
    made = [Password().create(context, {"length": 40, "keeper": ""}) for _ in range(2)]
    (first, one), (second, other) = made
    assert first != second and one["value"] != other["value"]
    assert len(one["value"]) == 40 and set(one["value"]) <= set(ALPHABET) and ALPHABET.isalnum()
    assert one["value"] not in first


def test_a_password_is_secret_and_made_anew_for_another_length_or_keeper(context: Context) -> None:
    assert Password.secrets == {"value"} and Password.replace_on == {"length", "keeper"}
    state = {"length": 40, "keeper": "", "value": "x"}
    assert Password().read(context, URN, "id", state) == state
    assert Password().update(context, state, {"length": 40, "keeper": ""}) == {"value": "x"}
