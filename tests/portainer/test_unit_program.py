"""The program: its flags, its ports, and git over HTTPS."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from lab.portainer import certificate, durations
from lab.portainer.addresses import is_url
from lab.portainer.flags import parsed
from lab.portainer.git import Git, GitAuthError, GitError, Repository
from lab.processes import listens
from tests.portainer.conftest import Start, new_prefix
from tests.portainer.replay import Replay
from tests.portainer.repositories import PASSWORD, USER, Handler, Repositories
from tests.portainer.servers import is_real


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--nope"], "--nope"),
        (["--log-level", "LOUD"], "LOUD"),
        (["-H", "http://x"], "Invalid environment protocol"),
        (["-H", "unix:///nowhere.sock"], "Unable to locate Unix socket"),
        (["--snapshot-interval", "1x"], "Invalid snapshot interval"),
        (["--admin-password", "x", "--admin-password-file", "y"], "Cannot use --admin-password with"),
    ],
)
def test_flags_that_the_real_server_refuses(flags: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(flags)
    assert ended.value.code == 1 and says in capsys.readouterr().err


def test_flags_that_it_takes(start: Start) -> None:
    settings = ["--logo", "http://x.lab/l.png", "--snapshot-interval", "9m", "-l", "a=b", "--edge-compute"]
    ignored = ["--no-analytics", "--log-level", "DEBUG", "--log-mode", "JSON", "--base-url", "/", "--tunnel-port", "1"]
    server = start(*settings, *ignored)
    public = requests.get(f"{server.url}/api/settings/public", timeout=5).json()
    assert (public["LogoURL"], public["EnableEdgeComputeFeatures"]) == ("http://x.lab/l.png", True)


def test_https_is_always_served_and_http_unless_it_is_switched_off(start: Start, tmp_path: Path) -> None:
    server = start()
    own = str(server.data / "certs" / "cert.pem")
    url = f"https://127.0.0.1:{server.tls_port}/api/status"
    assert requests.get(url, verify=own, timeout=5).status_code == 200
    certificate.context("", "", tmp_path)
    given = ["--sslcert", str(tmp_path / "cert.pem"), "--sslkey", str(tmp_path / "key.pem")]
    server.stop()
    server.flags = given
    server.start()
    assert requests.get(url, verify=str(tmp_path / "cert.pem"), timeout=5).status_code == 200
    server.stop()
    server.flags = [*given, "--http-disabled"]
    with pytest.raises(AssertionError):  # it never answers where the test waits for it
        server.start(wait_s=1.0)
    limit = time.monotonic() + 15
    while not listens("127.0.0.1", server.tls_port) and time.monotonic() < limit:
        time.sleep(0.05)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/api/status", timeout=5)
    assert requests.get(url, verify=str(tmp_path / "cert.pem"), timeout=5).status_code == 200


def test_numbers_and_state_outlive_a_restart_and_nothing_is_readable_by_others(start: Start) -> None:
    server = start()
    run = Replay(server.url, new_prefix())
    run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": run.password})
    run.make_key()
    first = run.ask("POST", "/api/tags", {"name": "a"}).json()["ID"]
    run.ask("DELETE", f"/api/tags/{first}")
    server.stop()
    server.start()
    assert run.ask("POST", "/api/tags", {"name": "b"}).json()["ID"] == first + 1
    state = server.data / ("portainer.db" if is_real() else "portainer.json")
    assert state.stat().st_mode & 0o077 == 0
    assert run.key.encode() not in state.read_bytes()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("1h30m", 5400), ("-5s", -5), ("0", 0), ("0s", 0), ("500ms", 0.5), ("1.5m", 90), (".5s", 0.5)],
)
def test_durations_as_go_reads_them(text: str, seconds: float) -> None:
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "1x", "s", "1 s", "5s ", "nonsense"])
def test_what_is_no_duration(text: str) -> None:
    assert not durations.valid(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://git.lab.internal:8443/a/b.git", True),
        ("http://localhost:3000/x", True),
        ("http://user:p@git.lab/x.git", True),
        ("git@127.0.0.1:pub/app.git", False),
        ("ssh://git@git.lab/x.git", False),
        ("file:///etc", False),
        ("not a url", False),
        ("", False),
    ],
)
def test_what_counts_as_a_url(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one


@pytest.fixture
def https_repositories(tmp_path: Path) -> Iterator[tuple[Repositories, Path]]:
    """Served with a certificate that nobody knows, and where it is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = certificate.context("", "", tmp_path / "tls")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Repositories(tmp_path / "git", f"https://127.0.0.1:{server.server_port}")
    server.repositories, server.folder = found, tmp_path / "git"  # type: ignore[attr-defined]
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.commit({"docker-compose.yml": "services: {}\n"})
    yield found, tmp_path / "tls" / "cert.pem"
    server.shutdown()
    server.server_close()


def test_git_over_https_checks_certificates_unless_told_not_to(
    https_repositories: tuple[Repositories, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repositories, ca = https_repositories
    git, url = Git(tmp_path / "bin"), f"{repositories.url}/priv/app.git"
    known = Repository(url, "refs/heads/main", USER, PASSWORD)
    with pytest.raises(GitError, match="x509: certificate signed by unknown authority"):
        asyncio.run(git.latest_commit(known))
    blind = Repository(url, "refs/heads/main", USER, PASSWORD, skip_verify=True)
    commit = asyncio.run(git.latest_commit(blind))
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    assert asyncio.run(git.latest_commit(known)) == commit
    asyncio.run(git.clone(known, tmp_path / "clone"))
    assert [file.name for file in (tmp_path / "clone").iterdir()] == ["docker-compose.yml"]
    with pytest.raises(GitAuthError):
        asyncio.run(git.latest_commit(Repository(url, "refs/heads/main", USER, "wrong")))


def test_a_new_clone_removes_what_the_repository_has_not_and_keeps_folders(
    https_repositories: tuple[Repositories, Path], tmp_path: Path
) -> None:
    repositories, _ = https_repositories
    git, into = Git(tmp_path / "bin"), tmp_path / "clone"
    repository = Repository(f"{repositories.url}/pub/app.git", "", skip_verify=True)
    repositories.commit({"conf/a.txt": "1"})
    asyncio.run(git.clone(repository, into))
    inode = (into / "conf").stat().st_ino
    (into / "stack.env").write_text("A=b")
    repositories.commit({"conf/a.txt": "2"})
    asyncio.run(git.clone(repository, into))
    assert not (into / "stack.env").exists()
    assert (into / "conf" / "a.txt").read_text() == "2"
    assert (into / "conf").stat().st_ino == inode
