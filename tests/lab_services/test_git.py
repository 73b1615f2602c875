"""The git server of a running lab, as git on this machine finds it."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lab.processes import holder_of_port, supervisor_of
from lab.services.git import GitServer
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests
from tests.lab_services.repository import URL, Client, answers, ca, told_password
from tests.lab_services.sections import GIT

pytestmark = pytest.mark.lab  # in order: what is pushed first has to survive what comes later

NET = "10.92"
AT = f"{NET}.1.1"
DEPLOYMENTS = "hypercompose/deployments.git"
MIB = 1 << 20


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    if not may_run_guests():
        pytest.skip("bridges need root")
    lab = make_lab(tmp_path_factory.mktemp("git"), "labgit", NET, sections=GIT)
    try:
        lab.command("up")
        yield lab
    finally:
        lab.command("purge")


@pytest.fixture(scope="module")
def client(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Whoever may push, with a clone in `work`."""
    folder = tmp_path_factory.mktemp("client")
    client = Client(folder=folder, site=lab.site, trusts=ca(lab.site), password=told_password(lab.site))
    client.clone("work")
    return client


def server_of(lab: TestLab) -> GitServer:
    return GitServer(lab.site.directory / "services" / "git")


def test_a_new_repository_has_an_empty_first_commit_on_main(client: Client) -> None:
    assert client.git("rev-parse", "--abbrev-ref", "origin/HEAD", at="work").stdout == "origin/main"
    assert client.git("ls-tree", "-r", "HEAD", at="work").stdout == ""
    assert client.git("rev-list", "--count", "HEAD", at="work").stdout == "1"


def test_what_one_pushes_another_clones_and_fetches(client: Client) -> None:
    client.commit("work", "first", os.urandom(MIB))
    client.git("push", "-q", "origin", "main", at="work")
    assert any(_clone_s(client, f"other{number}") < 0.3 for number in range(8))  # the machine may be busy
    second = client.commit("work", "second", b"2")
    client.git("push", "-q", "origin", "main", at="work")
    client.git("fetch", "-q", at="other0")
    assert client.git("rev-parse", "origin/main", at="other0").stdout == second


def _clone_s(client: Client, name: str) -> float:
    began = time.monotonic()
    client.clone(name)
    return time.monotonic() - began


def test_a_branch_can_be_forced_and_deleted(client: Client) -> None:
    client.git("push", "-q", "origin", "main:moved", at="work")
    client.git("push", "-q", "--force", "origin", "main~1:moved", at="work")
    client.git("push", "-q", "origin", ":moved", at="work")
    assert "moved" not in client.git("ls-remote", "origin", at="work").stdout


def test_blobs_can_be_left_out_and_any_commit_asked_for(client: Client) -> None:
    client.git("clone", "-q", "--filter=blob:none", "--no-checkout", f"{URL}/{DEPLOYMENTS}", "partial")
    assert client.git("rev-list", "--objects", "--missing=print", "HEAD", at="partial").stdout.count("\n?") == 2
    client.git("push", "-q", "origin", "main:gone", at="work")
    lost = client.commit("work", "lost", b"3")
    client.git("push", "-q", "origin", "main:gone", at="work")
    client.git("push", "-q", "origin", ":gone", at="work")
    client.git("reset", "-q", "--hard", "HEAD~1", at="work")
    client.git("fetch", "-q", "--depth=1", "origin", lost, at="partial")
    assert client.git("rev-parse", "FETCH_HEAD", at="partial").stdout == lost


@pytest.mark.parametrize("password", [None, "wrong"])
def test_nobody_else_is_let_in(lab: TestLab, tmp_path: Path, password: str | None) -> None:
    stranger = Client(folder=tmp_path, site=lab.site, trusts=ca(lab.site), password=password)
    refused = stranger.git("ls-remote", f"{URL}/{DEPLOYMENTS}", check=False)
    assert refused.returncode == 128 and refused.stdout == ""
    paths = "info/refs?service=git-upload-pack", "info/refs?service=git-receive-pack", "HEAD", "objects/info/packs"
    known, pushes = (f"{DEPLOYMENTS}/{path}" for path in paths), f"POST {DEPLOYMENTS}/git-receive-pack"
    assert answers(lab.site, "", "none", *known, pushes, login=("lab", password) if password else None) == {401}


def test_without_the_labs_ca_nobody_talks_to_it(client: Client) -> None:
    refused = replace(client, trusts=None).git("ls-remote", "origin", at="work", check=False)
    assert refused.returncode == 128 and "certificate" in refused.stderr


def test_a_reader_fetches_and_does_not_push(lab: TestLab, client: Client, tmp_path: Path) -> None:
    password = (lab.site.directory / "services" / "git" / "reader-password").read_text()
    reader = Client(folder=tmp_path, site=lab.site, trusts=ca(lab.site), user="lab-reader", password=password)
    reader.clone("work")
    reader.commit("work", "mine", b"4")
    assert reader.git("push", "-q", "origin", "main", at="work", check=False).returncode == 128
    spelled = "git-receive-pack", "git%2Dreceive%2Dpack", "git-receiv%65-pack"
    posts = (
        f"POST {DEPLOYMENTS}/{name}" for name in (*spelled, "/git-receive-pack", "../deployments.git/git-receive-pack")
    )
    asks = (f"{DEPLOYMENTS}/info/refs?service={name}" for name in spelled)
    assert answers(lab.site, *posts, *asks, login=(reader.user, password)) == {401}


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fetc/passwd",
        "../../../../etc/passwd",
        "hypercompose/..%2f..%2fservices%2fgit/password",
        "hypercompose/%2e%2e/%2e%2e/services/git/password",
        "hypercompose/deployments.git;id/info/refs?service=git-upload-pack",
        ";id",
        "$(id)/x.git/info/refs",
        "-u/x.git/HEAD",
        f"{DEPLOYMENTS}/config",
        f"{DEPLOYMENTS}/info/refs?service=;id",
        "none/none.git/info/refs?service=git-upload-pack",
    ],
)
def test_a_hostile_path_finds_nothing(lab: TestLab, path: str) -> None:
    assert answers(lab.site, path, login=("lab", told_password(lab.site))) <= {403, 404}


def test_many_push_at_once(client: Client) -> None:
    branches = [f"branch{number}" for number in range(10)]
    tree = client.git("rev-parse", "HEAD^{tree}", at="work").stdout
    for branch in branches:
        made = client.git("commit-tree", tree, "-p", "HEAD", "-m", branch, at="work").stdout
        client.git("branch", branch, made, at="work")
    with ThreadPoolExecutor(len(branches)) as pool:
        list(pool.map(lambda branch: client.git("push", "-q", "origin", branch, at="work"), branches))
    there = client.git("ls-remote", "--heads", "origin", at="work").stdout
    assert {line.split("heads/")[1] for line in there.splitlines()} == {"main", *branches}


def test_a_large_push_arrives_and_no_command_line_tells_the_password(lab: TestLab, client: Client) -> None:
    client.git("checkout", "-q", "-b", "large", at="work")
    large = client.commit("work", "large", os.urandom(20 * MIB))
    seen: set[str] = set()
    push = client.start("push", "-q", "origin", "large", at="work")
    while push.poll() is None:
        seen |= set(_command_lines())
    assert push.returncode == 0, push.communicate()[1]
    assert any("git-remote-https" in line for line in seen) and any("receive-pack" in line for line in seen)
    assert told_password(lab.site) not in "".join(seen)
    assert large in client.git("ls-remote", "origin", "large", at="work").stdout
    client.git("checkout", "-q", "main", at="work")


def _command_lines() -> Iterator[str]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


def test_passwords_are_their_owners_and_stay_the_same(lab: TestLab) -> None:
    folder = lab.site.directory / "services" / "git"
    known = {name: (folder / name).read_text() for name in ("password", "reader-password")}
    assert known["password"] == told_password(lab.site) != known["reader-password"]
    for name in (*known, "htpasswd"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    said = (folder / "lighttpd.log").read_text() + (folder / "lighttpd.conf").read_text()
    assert not any(password in said for password in known.values())


def test_status_names_it_and_up_again_leaves_it_as_it_runs(lab: TestLab) -> None:
    lines = [line.split() for line in lab.command("status").stdout.splitlines()]
    assert ["git", "answers", URL] in lines
    before = (supervisor_of(lab.site.directory), server_of(lab).running_pid())
    lab.command("up")
    assert (supervisor_of(lab.site.directory), server_of(lab).running_pid()) == before
    assert holder_of_port(3443, AT) == f"lighttpd (process {before[1]})"


@pytest.mark.parametrize("victim", ["supervisor", "server"])
def test_one_that_died_or_lost_its_supervisor_is_replaced(lab: TestLab, client: Client, victim: str) -> None:
    server, supervisor = server_of(lab).running_pid(), supervisor_of(lab.site.directory)
    killed = supervisor if victim == "supervisor" else server
    assert killed and server
    os.kill(killed, signal.SIGKILL)
    lab.command("up")
    assert server_of(lab).running_pid() not in (None, server)
    assert client.git("ls-remote", "origin", "large", at="work").stdout


def test_it_ends_with_its_supervisor_and_a_taken_port_is_refused_by_name(lab: TestLab) -> None:
    supervisor = supervisor_of(lab.site.directory)
    assert supervisor
    os.kill(supervisor, signal.SIGKILL)
    while server_of(lab).running_pid():
        time.sleep(0.01)
    with socket.create_server((AT, 3443)):
        refused = lab.command("up", check=False)
    assert refused.returncode == 1
    assert f"(process {os.getpid()}) listens on port 3443, which the site needs" in refused.stderr


def test_down_takes_it_along_and_up_brings_it_back_with_what_was_pushed(lab: TestLab, client: Client) -> None:
    lab.command("up")
    before = client.git("ls-remote", "origin", at="work").stdout
    lab.command("down")
    assert server_of(lab).running_pid() is None and holder_of_port(3443, AT) is None
    lab.command("up")
    assert client.git("ls-remote", "origin", at="work").stdout == before


def test_purge_leaves_nothing(lab: TestLab) -> None:
    lab.command("purge")
    assert not lab.site.directory.exists()
