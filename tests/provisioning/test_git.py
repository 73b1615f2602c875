"""A repository over HTTP: what a ref holds, and refs of our own. The real git on both sides."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.processes import free_port
from provisioning import git as module
from provisioning.git import LARGEST_FILE_BYTES, GitError, RefChanged, Repository
from tests.portainer.repositories import PASSWORD, USER, Handler, Repositories, served

MAIN = "refs/heads/main"
FILES = {"compose.yaml": "services: {}\n", "conf/a b.txt": "one\n"}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repositories]:
    folder = tmp_path_factory.mktemp("git")
    with pytest.MonkeyPatch.context() as patch, served(folder) as found:
        patch.setattr(Handler, "wbufsize", -1)  # one packet an answer: two would wait for each other
        for name in ("pub", "priv"):
            git(folder / name / "app.git", "config", "http.receivepack", "true")
            git(folder / name / "app.git", "config", "receive.autogc", "false")
        found.commit({"web/compose.yaml": "services: {}\n", "web/conf/a b.txt": "one", "other.txt": "x"})
        found.commit({"web/logo.bin": "\0" * (LARGEST_FILE_BYTES + 1), "web/edge.bin": "e" * LARGEST_FILE_BYTES})
        yield found


@pytest.fixture
def ours(repositories: Repositories) -> Repository:
    """Without a login, as that doubles the requests."""
    return Repository(url=f"{repositories.url}/pub/app.git")


@pytest.fixture
def private(repositories: Repositories) -> Repository:
    return Repository(url=f"{repositories.url}/priv/app.git", user=USER, password=PASSWORD)


@pytest.fixture
def ref(request: pytest.FixtureRequest) -> str:
    """One of each test's own."""
    return f"refs/heads/dev/{request.node.name}"


def git(folder: Path, *arguments: str) -> str:
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def bare(repositories: Repositories) -> Path:
    return repositories._folder / "pub" / "app.git"


def test_the_head_of_a_ref_is_its_commit_and_a_missing_ref_has_none(
    repositories: Repositories, ours: Repository
) -> None:
    commit = git(bare(repositories), "rev-parse", MAIN)
    assert (ours.head(MAIN), ours.head("HEAD")) == (commit, commit)
    assert ours.head("refs/heads/mai") is None
    assert ours.head("main") is None  # a ref by its whole name only


def test_a_ref_whose_name_ends_like_another_is_told_apart(repositories: Repositories, ours: Repository) -> None:
    other = git(bare(repositories), "rev-parse", f"{MAIN}~1")
    git(bare(repositories), "update-ref", "refs/heads/copy/refs/heads/only", other)
    assert ours.head("refs/heads/only") is None


def test_a_snapshot_holds_commit_and_files_without_the_big_ones(repositories: Repositories, ours: Repository) -> None:
    commit, files = ours.snapshot(MAIN)
    assert commit == git(bare(repositories), "rev-parse", MAIN)
    assert sorted(files) == ["other.txt", "web/compose.yaml", "web/conf/a b.txt", "web/edge.bin"]
    assert files["web/conf/a b.txt"] == b"one"


def test_a_snapshot_below_a_folder_holds_that_folder_alone(ours: Repository) -> None:
    _, files = ours.snapshot(MAIN, "web")
    assert sorted(files) == ["web/compose.yaml", "web/conf/a b.txt", "web/edge.bin"]
    assert ours.snapshot(MAIN, "nowhere")[1] == {}
    assert ours.snapshot(MAIN, "we")[1] == {}


def test_a_missing_ref_is_told_with_what_to_do(ours: Repository) -> None:
    with pytest.raises(GitError, match=rf"{ours.url}: has no refs/heads/nope; push it there, or name another ref"):
        ours.snapshot("refs/heads/nope")


def test_links_and_submodules_are_no_files(repositories: Repositories, ours: Repository, ref: str) -> None:
    folder, commit = bare(repositories), git(bare(repositories), "rev-parse", MAIN)
    blob = git(folder, "rev-parse", f"{MAIN}:other.txt")
    listed = f"120000 blob {blob}\tlink\n160000 commit {commit}\tmodule\n100755 blob {blob}\trun.sh\n"
    made = subprocess.run(
        ["git", "-C", str(folder), "mktree", "--missing"], input=listed, check=True, capture_output=True, text=True
    )
    who = ("-c", "user.name=t", "-c", "user.email=t@lab")
    git(folder, "update-ref", ref, git(folder, *who, "commit-tree", made.stdout.strip(), "-m", "x"))
    assert ours.snapshot(ref)[1] == {"run.sh": b"x"}


def test_published_files_are_there_as_they_are(ours: Repository, ref: str) -> None:
    files = {**FILES, "ünï.txt": "ä\r\n", "-dash": "d", "a,b.txt": "c", "deep/er/x": ""}
    commit = ours.publish(ref, files, "first")
    assert ours.head(ref) == commit
    assert ours.snapshot(ref) == (commit, {path: text.encode() for path, text in files.items()})


def test_the_same_files_are_the_same_commit(repositories: Repositories, ours: Repository, ref: str) -> None:
    commit = ours.publish(ref, FILES, "first")
    asked = repositories.requests
    assert ours.publish(ref, dict(reversed(FILES.items())), "second") == commit
    assert git(bare(repositories), "rev-list", "--count", ref) == "1"
    assert repositories.requests > asked


def test_other_files_are_added_and_removed_on_top_of_what_was_there(
    repositories: Repositories, ours: Repository, ref: str
) -> None:
    first = ours.publish(ref, FILES, "first")
    second = ours.publish(ref, {"compose.yaml": "services: {a: {}}\n", "new.txt": "n"}, "second\n\nwith more")
    _, files = ours.snapshot(ref)
    assert files == {"compose.yaml": b"services: {a: {}}\n", "new.txt": b"n"}
    assert git(bare(repositories), "rev-parse", f"{second}^") == first
    assert git(bare(repositories), "log", "-1", "--format=%an|%B", ref) == "Hypercompose|second\n\nwith more"


def test_commits_of_others_below_ours_are_kept(repositories: Repositories, ours: Repository, ref: str) -> None:
    git(bare(repositories), "update-ref", ref, MAIN)
    before = git(bare(repositories), "rev-parse", MAIN)
    assert git(bare(repositories), "rev-parse", f"{ours.publish(ref, FILES, 'ours')}^") == before
    assert ours.head(MAIN) == before


def pushes_in_between(ours: Repository, ref: str, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> None:
    """Somebody moves the ref after we looked and before we push."""
    push = Repository._push

    def late(self: Repository, git_: module._Git, ref: str, commit: str, expected: str | None) -> None:
        git(bare(repositories), "update-ref", ref, MAIN)
        push(self, git_, ref, commit, expected)

    monkeypatch.setattr(Repository, "_push", late)


@pytest.mark.parametrize("is_new", [False, True])
def test_a_push_in_between_is_never_overwritten(
    ours: Repository, ref: str, monkeypatch: pytest.MonkeyPatch, repositories: Repositories, is_new: bool
) -> None:
    ref = ref.replace("[", "-").replace("]", "")
    if not is_new:
        ours.publish(ref, FILES, "first")
    pushes_in_between(ours, ref, monkeypatch, repositories)
    with pytest.raises(GitError):
        ours.publish(ref, {"compose.yaml": "other"}, "second")
    assert ours.head(ref) == ours.head(MAIN)


def test_a_push_in_between_is_told_as_that(
    ours: Repository, ref: str, monkeypatch: pytest.MonkeyPatch, repositories: Repositories
) -> None:
    ours.publish(ref, FILES, "first")
    pushes_in_between(ours, ref, monkeypatch, repositories)
    with pytest.raises(RefChanged, match=f"{ref} was pushed to by somebody else just now; run it again"):
        ours.publish(ref, {"compose.yaml": "other"}, "second")


def test_a_ref_is_moved_back_to_a_commit_that_it_had(ours: Repository, ref: str) -> None:
    first = ours.publish(ref, FILES, "first")
    ours.publish(ref, {"compose.yaml": "other"}, "second")
    ours.move(ref, first)
    assert ours.head(ref) == first


def test_a_commit_that_follows_has_the_same_files_on_a_ref_beside(
    repositories: Repositories, ours: Repository, ref: str
) -> None:
    first = ours.publish(ref, FILES, "first")
    for _ in range(2):  # one that an interrupted run left is in nobody's way
        beside = ours.follow_up(f"{ref}.again", first, "again")
    assert ours.snapshot(f"{ref}.again") == (beside, ours.snapshot(ref)[1])
    assert git(bare(repositories), "rev-parse", f"{beside}^") == first == ours.head(ref)


def test_a_ref_that_was_moved_back_advances_to_the_commit_that_followed_and_to_no_other(
    ours: Repository, ref: str
) -> None:
    first = ours.publish(ref, {"a": "1"}, "first")
    second = ours.publish(ref, {"a": "2"}, "second")
    ours.move(ref, first)
    assert not ours.advance(ref, "1" * 40)
    assert not ours.advance(ref, first)
    assert ours.head(ref) == first
    assert ours.advance(ref, second)
    assert ours.head(ref) == second


def test_moving_to_a_commit_that_nobody_has_is_an_error_and_moves_nothing(ours: Repository, ref: str) -> None:
    first = ours.publish(ref, FILES, "first")
    with pytest.raises(GitError):
        ours.move(ref, "1" * 40)
    assert ours.head(ref) == first


def test_a_removed_ref_is_gone_and_removing_it_again_is_no_error(ours: Repository, ref: str) -> None:
    ours.publish(ref, FILES, "first")
    ours.remove(ref)
    assert ours.head(ref) is None
    ours.remove(ref)
    assert ours.head(MAIN)


def test_a_login_opens_a_private_repository(private: Repository, ours: Repository) -> None:
    assert private.head(MAIN) == ours.head(MAIN)


def test_a_wrong_password_names_the_user_and_the_setting_and_not_itself(private: Repository) -> None:
    wrong = Repository(url=private.url, user=USER, password="hunter2-wrong")
    for ask in (lambda: wrong.snapshot(MAIN), lambda: wrong.publish(MAIN, FILES, "m")):
        with pytest.raises(GitError) as refused:
            ask()
        text = (
            f"{private.url}: refuses the login of {USER}; set hypercompose:git_password, and look at the user's rights"
        )
        assert str(refused.value) == f"{text} there"
    assert "hunter2" not in repr(wrong)


def test_a_missing_login_is_told_as_that(private: Repository) -> None:
    with pytest.raises(GitError, match="refuses to be read without a login; set hypercompose:git_password"):
        Repository(url=private.url).head(MAIN)


def test_no_such_repository_is_told_as_that(repositories: Repositories) -> None:
    url = f"{repositories.url}/pub/none.git"
    with pytest.raises(GitError, match=f"{url}: no such repository; look at its address"):
        Repository(url=url).snapshot(MAIN)


def test_a_server_that_is_away_is_told_as_that() -> None:
    url = f"http://127.0.0.1:{free_port()}/app.git"
    with pytest.raises(GitError, match=f"{url}: the git server does not answer"):
        Repository(url=url).head(MAIN)


@pytest.mark.parametrize("name", ["ssl-setup.git", "certificates.git"])
def test_words_in_an_address_do_not_explain_an_error(name: str) -> None:
    with pytest.raises(GitError, match="the git server does not answer"):
        Repository(url=f"http://127.0.0.1:{free_port()}/{name}").head(MAIN)


def test_what_is_no_http_is_refused(tmp_path: Path) -> None:
    for url in (str(tmp_path), f"file://{tmp_path}", "ext::sh -c touch% /tmp/x", "ssh://git@127.0.0.1:1/x"):
        with pytest.raises(GitError, match="not allowed"):
            Repository(url=url).head(MAIN)


def test_an_address_that_looks_like_an_option_is_none() -> None:
    with pytest.raises(GitError):
        Repository(url="--upload-pack=touch /tmp/x").head(MAIN)


def test_git_that_is_not_installed_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitError, match="git: not installed on this machine; install it"):
        Repository(url="http://127.0.0.1:1/x").head(MAIN)


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(GitError, match="the git server does not answer within"):
            Repository(url=f"http://127.0.0.1:{silent.getsockname()[1]}/x.git").head(MAIN)


def test_no_password_is_in_any_command_line_and_none_is_left_on_disk(
    private: Repository, ref: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, said, rooms = shutil.which("git"), tmp_path / "said", tmp_path / "rooms"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    rooms.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >>{said}\ngrep -rs {PASSWORD} {rooms} >>{said}.held\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(rooms))
    private.move(ref, private.publish(ref, {"a": "b"}, "first"))
    private.remove(ref)
    commands = said.read_text()
    assert PASSWORD not in commands
    assert all(word in commands for word in ("push", "fetch", "ls-remote", "hash-object"))
    assert Path(f"{said}.held").read_text() == ""
    assert list(rooms.iterdir()) == []


def test_settings_and_helpers_of_the_person_are_not_asked_for_a_password(
    private: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    (tmp_path / ".gitconfig").write_text(f'[credential]\n\thelper = "!touch {asked}; echo password=x; :"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_ASKPASS", "/bin/false")
    assert private.head(MAIN)
    assert not asked.exists()


def test_an_index_of_the_shell_is_left_alone(
    ours: Repository, ref: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    ours.publish(ref, FILES, "first")
    assert not (tmp_path / "index").exists()


def test_a_kept_folder_that_a_killed_git_has_locked_is_used_again(repositories: Repositories, tmp_path: Path) -> None:
    kept = Repository(url=f"{repositories.url}/pub/app.git", folder=tmp_path / "kept")
    commit = kept.fetch(MAIN).commit
    for lock in ("config.lock", "HEAD.lock", "shallow.lock"):
        (tmp_path / "kept" / lock).touch()
    assert kept.fetch(MAIN).commit == commit
