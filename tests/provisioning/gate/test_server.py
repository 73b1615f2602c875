"""What the gate answers over HTTPS: to git with the right password, to hooks, to nobody else."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from provisioning.gate import service as service_module
from provisioning.gate.config import Folders
from provisioning.gate.mirror import Mirror
from provisioning.gate.server import DEAD_S, LARGEST_BODY, listen
from provisioning.gate.service import Service
from provisioning.gate.state import Refused, State, Store
from tests.provisioning.gate.world import FakeEngine, container, version, write

PASSWORD, TEXT = "Canary-reader", "# release\n{}\n"
REFS = "/shop.git/info/refs?service=git-upload-pack"


@dataclass
class Gate:
    """One that listens."""

    port: int
    certificate: Path
    service: Service
    release: str

    def ask(
        self, method: str, path: str, body: bytes = b"", password: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str, http.client.HTTPMessage]:
        trust = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=trust)
        login = {"Authorization": _basic("portainer", password)} if password else {}
        connection.putrequest(method, path, skip_accept_encoding=True)
        given = headers or {}
        lengths = {"Content-Length": str(len(body))} if body and "Content-Length" not in given else {}
        for name, value in {**login, **lengths, **given}.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text, answer.headers

    def status(self, method: str, path: str, body: bytes = b"", password: str = "") -> int:
        return self.ask(method, path, body, password)[0]


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    root = tmp_path_factory.mktemp("gate")
    folders = Folders(root / "etc", root / "var")
    write(folders)
    write(folders, name="empty", hook="")
    (folders.settings / "gate.json").write_text(
        json.dumps({"address": "127.0.0.1", "port": 0, "user": "portainer", "password": PASSWORD})
    )
    certificate = _certificate(folders.settings / "tls")
    mirror, store = Mirror(folders.of("shop") / "release.git"), Store(folders.of("shop"))
    release = mirror.prepare(TEXT, "first")
    mirror.publish(release)
    refused = Refused(commit="c2", key="k", reason='said "}\n# TYPE x counter', again=False)
    store.save(State(good=version(release=release), asked="c2", refused=refused))
    store.record(version(), "running")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service_module, "Engine", lambda: FakeEngine(container()))
        service = Service(folders)
        server = listen(folders, service)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield Gate(server.server_address[1], certificate, service, release)
        server.shutdown()
        server.server_close()


def _certificate(folder: Path) -> Path:
    folder.mkdir(parents=True)
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=gate "
        "-addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE "
        f"-keyout {folder}/gate.key -out {folder}/gate.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return folder / "gate.crt"


def git(gate: Gate, *arguments: str, login: str = f"portainer:{PASSWORD}@") -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "GIT_SSL_CAINFO": str(gate.certificate),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    url = f"https://{login}127.0.0.1:{gate.port}/shop.git"
    command = ["git", *(argument.replace("URL", url) for argument in arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=False)


def test_a_release_is_cloned_with_the_password_as_portainer_does(gate: Gate, tmp_path: Path) -> None:
    for number, more in enumerate((["--depth=1"], [])):
        to = tmp_path / str(number)
        done = git(gate, "clone", "--quiet", "--branch=release", *more, "URL", str(to))
        assert done.returncode == 0, done.stderr
        assert (to / "compose.yaml").read_text() == TEXT
    assert git(gate, "ls-remote", "URL", "refs/heads/release").stdout.split()[0] == gate.release


@pytest.mark.parametrize("login", ["", "portainer:wrong@", "root:Canary-reader@"])
def test_without_it_nobody_reads_a_release(gate: Gate, login: str) -> None:
    done = git(gate, "ls-remote", "URL", login=login)
    assert done.returncode != 0 and gate.release not in done.stdout


@pytest.mark.parametrize(
    "given", ["", "Basic", "Basic !!", "Basic é", "Bearer x", _basic("portainer", "é"), _basic("", ""), "Basic Og=="]
)
def test_logins_of_any_form_are_answered_with_the_question_who_asks(gate: Gate, given: str) -> None:
    status, _, headers = gate.ask("GET", REFS, headers={"Authorization": given})
    assert status == 401 and headers["WWW-Authenticate"] == 'Basic realm="releases"'


def test_nobody_pushes_here(gate: Gate, tmp_path: Path) -> None:
    git(gate, "clone", "--quiet", "--branch=release", "URL", str(tmp_path))
    done = git(gate, "-C", str(tmp_path), "push", "URL", "HEAD:refs/heads/other")
    assert done.returncode != 0
    assert gate.status("GET", "/shop.git/info/refs?service=git-receive-pack", password=PASSWORD) == 404
    assert gate.status("POST", "/shop.git/git-receive-pack", password=PASSWORD) == 404
    assert len(git(gate, "ls-remote", "--heads", "URL").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/", "/shop.git", "/shop.git/", "/shop.git/HEAD", "/shop.git/config", "/shop.git/objects/info/packs",
        "/../shop.git/info/refs?service=git-upload-pack", "/shop.git/../../../etc/passwd", "/shop.git/info/refs",
        "/%2e%2e/shop.git/info/refs?service=git-upload-pack", "/..%2fshop.git/info/refs?service=git-upload-pack",
        "/shop.git/info/refs?service=git-upload-pack&x=1", "/shop.git/info/refs%00?service=git-upload-pack",
        "/shop/source.git/info/refs?service=git-upload-pack", "/SHOP.git/info/refs?service=git-upload-pack",
        "/-shop.git/info/refs?service=git-upload-pack", "/empty.git/info/refs?service=git-upload-pack",
        "/none.git/info/refs?service=git-upload-pack", "/state.json", "/hooks/Canary-hook",
    ],
)  # fmt: skip
def test_everything_else_is_not_there_even_for_those_who_may_read(gate: Gate, path: str) -> None:
    status, text, _ = gate.ask("GET", path, password=PASSWORD)
    assert status == 404 and "Canary" not in text and "root:" not in text
    assert gate.status("GET", path) == 401


def test_a_hook_is_heard_without_a_login_and_one_of_nobody_is_not(gate: Gate) -> None:
    assert gate.status("POST", "/hooks/Canary-hook") == 202
    assert gate.status("POST", "/hooks/Canary-hook?a=b", body=b'{"push": 1}') == 202
    for other in ("", "x", "Canary-hook/", "../hooks/Canary-hook", "%43anary-hook"):
        assert gate.status("POST", f"/hooks/{other}") == 404, other


def test_a_body_may_be_a_megabyte_and_no_more(gate: Gate) -> None:
    assert gate.ask("POST", "/hooks/Canary-hook", b"x" * LARGEST_BODY)[0] == 202
    for length in (str(LARGEST_BODY + 1), "9" * 40):
        assert gate.ask("POST", "/hooks/Canary-hook", headers={"Content-Length": length})[0] == 413


@pytest.mark.parametrize("length", ["-1", "x", "", "1.5", "²"])
def test_a_body_without_a_length_is_refused(gate: Gate, length: str) -> None:
    assert gate.ask("POST", "/hooks/Canary-hook", headers={"Content-Length": length})[0] == 411
    assert gate.ask("POST", "/hooks/Canary-hook", headers={"Transfer-Encoding": "chunked"})[0] == 411


def test_other_methods_are_none(gate: Gate) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert gate.status(method, "/status", password=PASSWORD) == 501


def test_metrics_are_for_everybody_and_can_be_read(gate: Gate) -> None:
    status, text, headers = gate.ask("GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    found = {family.name: family.samples for family in text_string_to_metric_families(text)}
    assert {sample.labels["stack"]: sample.value for sample in found["hypercompose_gate_stack_ok"]} == {
        "empty": 0.0,
        "shop": 0.0,
    }
    assert "said" not in text  # reasons may quote logs


def test_the_status_is_for_those_who_may_read(gate: Gate) -> None:
    assert gate.status("GET", "/status") == 401
    status, text, _ = gate.ask("GET", "/status", password=PASSWORD)
    assert status == 200 and [entry["state"] for entry in json.loads(text)] == ["not deployed", "refused"]


def test_health_is_that_of_the_loop(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gate.ask("GET", "/health")[:2] == (200, "well\n")
    monkeypatch.setattr(gate.service, "beat", gate.service.beat - DEAD_S - 60)
    assert gate.ask("GET", "/health")[:2] == (503, "the loop stands still\n")


def test_no_secret_is_in_any_answer(gate: Gate) -> None:
    for path in ("/metrics", "/health", "/status", REFS, "/", "/hooks/x"):
        for password in ("", PASSWORD):
            for method in ("GET", "POST"):
                _, text, headers = gate.ask(method, path, password=password)
                assert "Canary" not in text + str(headers), (method, path)


def test_who_does_not_finish_a_handshake_holds_up_nobody(gate: Gate) -> None:
    silent = [socket.create_connection(("127.0.0.1", gate.port), timeout=5) for _ in range(8)]
    try:
        silent[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert gate.status("GET", "/health") == 200
    finally:
        for each in silent:
            each.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_not_spoken(gate: Gate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", gate.port), timeout=5) as raw, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(raw)
