"""Releases in a repository of the gate's own, with the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from provisioning.errors import ProvisioningError
from provisioning.gate.mirror import BRANCH, FILE, Mirror

TEXT = '# a header\n{"a": "$(reboot) \'x\' \\"y\\" ünï 🐘"}\n\n'


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "shop" / "release.git")


def git(mirror: Mirror, *arguments: str) -> str:
    command = ["git", f"--git-dir={mirror.folder}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_nobody_sees_a_release_before_it_is_published(mirror: Mirror) -> None:
    release = mirror.prepare(TEXT, "first")
    assert mirror.head() == "" and git(mirror, "for-each-ref") == ""
    mirror.publish(release)
    assert mirror.head() == release
    assert git(mirror, "symbolic-ref", "HEAD") == BRANCH


def test_a_release_holds_one_file_byte_for_byte(mirror: Mirror) -> None:
    release = mirror.prepare(TEXT, "first")
    assert mirror.text(release) == TEXT
    assert git(mirror, "ls-tree", "-r", "--name-only", release) == FILE


def test_the_same_file_once_more_is_another_commit_after_the_one_before(mirror: Mirror) -> None:
    mirror.publish(first := mirror.prepare(TEXT, "first"))
    second = mirror.prepare(TEXT, "first")
    assert second != first and git(mirror, "rev-parse", f"{second}^") == first
    assert git(mirror, "rev-parse", f"{second}^{{tree}}") == git(mirror, "rev-parse", f"{first}^{{tree}}")


def test_publishing_again_after_a_crash_changes_nothing(mirror: Mirror) -> None:
    release = mirror.prepare(TEXT, "first")
    mirror.publish(release)
    mirror.publish(release)
    assert mirror.head() == release


def test_messages_of_strangers_are_text(mirror: Mirror) -> None:
    release = mirror.prepare(TEXT, "Release $(reboot)\n\nBy: --amend `id`")
    assert "By: --amend `id`" in git(mirror, "log", "-1", "--format=%B", release)


def test_neither_the_users_git_nor_his_name_has_a_say(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Mallory")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    release = mirror.prepare(TEXT, "first")
    monkeypatch.delenv("GIT_DIR")
    assert git(mirror, "log", "-1", "--format=%an", release) == "Hypercompose gate"


def test_what_git_says_is_in_the_error(mirror: Mirror, tmp_path: Path) -> None:
    mirror.publish(mirror.prepare(TEXT, "first"))
    with pytest.raises(ProvisioningError, match=r"the gate's own repository .*: git cat-file: "):
        mirror.text("0" * 40)
    with pytest.raises(ProvisioningError, match="git update-ref"):
        mirror.publish("f" * 40)
    assert mirror.head() != ""


@pytest.mark.skipif(os.geteuid() != 0, reason="the gate is root")
def test_the_folder_is_made_with_the_first_release_and_is_roots_alone(mirror: Mirror) -> None:
    assert mirror.head() == "" and not mirror.folder.exists()
    mirror.prepare(TEXT, "first")
    assert mirror.folder.parent.stat().st_mode & 0o077 == 0


def test_what_a_killed_git_has_left_locked_is_in_nobodys_way(mirror: Mirror) -> None:
    mirror.publish(mirror.prepare(TEXT, "first"))
    for lock in ("config.lock", "HEAD.lock", "packed-refs.lock", "refs/heads/release.lock"):
        (mirror.folder / lock).touch()
    second = mirror.prepare(TEXT, "second")
    mirror.publish(second)
    assert mirror.head() == second
    (mirror.folder / "config").unlink()  # killed while it was made
    mirror.publish(mirror.prepare(TEXT, "third"))
    assert mirror.head() not in ("", second)
