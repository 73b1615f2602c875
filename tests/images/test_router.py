"""The router's image by itself: what leads where, and that nobody's mistake takes others down."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from lab.identity import Lab
from lab.processes import free_port
from provisioning.steps.hosting.route_file import route_text
from provisioning.tls import Pair, make_authority, make_certificate
from tests.images.built import Images, log, ran, write_secret
from tests.lab.names import Names

pytestmark = pytest.mark.lab
DOMAIN = "shops.example.com"
SAYS = ("host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "upgrade", "connection")


class Behind(BaseHTTPRequestHandler):
    """Answers with what it was asked, and by whom."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        place = f"port={self.server.server_port}"  # type: ignore[attr-defined]
        told = [f"{name}={self.headers[name]}" for name in SAYS if self.headers[name]]
        text = "\n".join([f"{self.command} {self.path} {place}", *told, body]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclass
class Router:
    """A container with its two folders. `names`: as people reach it."""

    container: Container
    folder: Path
    authority: Pair
    names: Names
    http_port: int

    def write(self, name: str, text: str) -> None:
        """A file of its routes."""
        new = self.folder / "routes" / f".{name}"
        new.write_text(text)
        new.replace(self.folder / "routes" / f"{name}.conf")

    def take(self, *names: str) -> tuple[int, str]:
        """As the step on a host does."""
        return ran(self.container, "route-take", *names)

    def lead(self, label: str, port: int, **paths: int) -> None:
        """A route in use."""
        told = {f"/{path}": number for path, number in paths.items()}
        self.write(f"i-{label}", route_text(f"{label}.{DOMAIN}", "127.0.0.1", port, told))
        assert self.take(f"i-{label}") == (0, "")

    def certify(self) -> str:
        """Another certificate, in place."""
        made = make_certificate(self.authority, "x", usage="server", addresses=[f"*.{DOMAIN}"])
        write_secret(self.folder / "tls" / "key.pem", made.key)
        write_secret(self.folder / "tls" / "certificate.pem", made.certificate)
        return made.certificate


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """Two servers that are there."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Behind) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers[0].server_port, servers[1].server_port
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="module")
def router(
    engine: docker.DockerClient, images: Images, room: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Router]:
    folder = tmp_path_factory.mktemp("router")
    for name in ("routes", "tls"):
        (folder / name).mkdir(mode=0o755)
    port, http_port, authority = free_port(), free_port(), make_authority("a", [DOMAIN])
    found = Router(Container(), folder, authority, Names("127.0.0.1", authority.certificate, DOMAIN, port), http_port)
    found.certify()
    environment = {"ROUTER_DOMAIN": DOMAIN, "ROUTER_PORT": str(port), "ROUTER_HTTP_PORT": str(http_port)}
    found.container = started(engine, images["router"], room, folder, environment)
    until(lambda: ran(found.container, "healthcheck")[0] == 0)
    yield found
    found.container.remove(force=True, v=True)


def started(engine: docker.DockerClient, image: str, room: Lab, folder: Path, environment: dict[str, str]) -> Container:
    """As the step on a host starts it."""
    return engine.containers.run(
        image,
        detach=True,
        labels=room.labels,
        network_mode="host",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "size=32m,mode=1777"},
        mem_limit="192m",
        pids_limit=96,
        environment=environment,
        volumes={str(folder / name): {"bind": f"/{name}", "mode": "ro"} for name in ("routes", "tls")},
    )


def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "it does not come about"
        time.sleep(0.1)


def test_a_name_leads_to_its_port_and_its_paths_to_another(router: Router, ports: tuple[int, int]) -> None:
    web, live = ports
    router.lead("shop", web, websocket=live)
    for path, port in {
        "/": web,
        "/a?b=c": web,
        "/websocket": live,
        "/websocket/x?y": live,
        "/websocketx": web,
        "/websocket.x": web,
    }.items():
        assert router.names.get("shop", path).body.splitlines()[0] == f"GET {path} port={port}"
    sent = router.names.get("shop", "/form", method="POST", body="a=ünï $(reboot)"[:5])
    assert (sent.status, sent.body.splitlines()[-1]) == (200, "a=ünï")


def test_what_a_visitor_says_of_itself_is_not_passed_on(router: Router, ports: tuple[int, int]) -> None:
    router.lead("shop", ports[0])
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "bank.test",
        "X-Real-IP": "6",
    }
    told = dict(line.split("=", 1) for line in router.names.get("shop", headers=lies).body.splitlines()[1:] if line)
    assert told == {
        "host": f"shop.{DOMAIN}",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": f"shop.{DOMAIN}",
        "x-real-ip": "127.0.0.1",
    }


def test_a_websocket_is_asked_for_all_the_way(router: Router, ports: tuple[int, int]) -> None:
    router.lead("shop", *ports[:1], websocket=ports[1])
    asked = router.names.get("shop", "/websocket", headers={"Upgrade": "websocket", "Connection": "Upgrade, close"})
    assert {"upgrade=websocket", "connection=upgrade"} <= set(asked.body.lower().splitlines())


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_where_nobody_listens_there_is_a_short_page_and_503(router: Router, method: str) -> None:
    router.lead("away", free_port())
    found = router.names.get("away", method=method, body="x" if method == "POST" else "")
    assert (found.status, found.headers["retry-after"]) == (503, "30")
    assert "Not available" in found.body and "nginx" not in found.body.lower() and "away." not in found.body


def test_a_name_that_is_not_there_is_as_unknown_as_any(router: Router, ports: tuple[int, int]) -> None:
    router.lead("shop", ports[0])
    names = router.names
    one, other = names.get("none"), names.get("www")
    assert (one.status, one.body) == (other.status, other.body) and one.status == 404
    with pytest.raises((ssl.SSLError, ConnectionError)):
        replace(names, domain="example.com").get("shop")
    assert names.plain("bank.test", port=router.http_port).status == 0
    sent_on = names.plain(f"none.{DOMAIN}", "/a?b", router.http_port)
    assert sent_on.headers["location"] == f"https://none.{DOMAIN}:{names.port}/a?b" and sent_on.status == 301


def test_a_route_is_in_use_when_it_is_taken_and_gone_when_it_is_removed(router: Router, ports: tuple[int, int]) -> None:
    for number in range(10):
        router.lead(f"x{number}", ports[0])
        assert router.names.get(f"x{number}").status == 200
        (router.folder / "routes" / f"i-x{number}.conf").unlink()
        assert router.take()[0] == 0
        assert router.names.get(f"x{number}").status == 404


def test_files_are_found_without_a_word_within_seconds(router: Router, ports: tuple[int, int]) -> None:
    router.write("i-found", route_text(f"found.{DOMAIN}", "127.0.0.1", ports[0], {}))
    until(lambda: router.names.get("found").status == 200, 10)


@pytest.mark.parametrize("text", ["server { listen nowhere", "}", "\0", "include /etc/passwd;", "load_module x;", "ü"])
def test_a_broken_file_is_refused_and_takes_no_other_down(router: Router, ports: tuple[int, int], text: str) -> None:
    router.lead("shop", ports[0])
    checked = router.container.exec_run(["bash", "-c", 'printf %b "$0" | route-check', text.replace("\0", "\\0")])
    assert checked.exit_code == 1 and b"emerg" in checked.output
    router.write("broken", text)
    code, said = router.take("broken")
    assert code == 1 and "broken.conf" in said
    router.lead("beside", ports[0])
    router.container.restart(timeout=5)
    until(lambda: ran(router.container, "healthcheck")[0] == 0)
    assert router.names.get("shop").status == router.names.get("beside").status == 200
    (router.folder / "routes" / "broken.conf").unlink()
    assert router.take()[0] == 0


def test_one_that_breaks_later_stays_as_it_was(router: Router, ports: tuple[int, int]) -> None:
    router.lead("shop", ports[0])
    router.write("i-shop", "server {")
    assert router.take("i-shop")[0] == 1
    assert router.names.get("shop").status == 200
    router.lead("shop", ports[0])


def test_names_of_files_are_only_names(router: Router, ports: tuple[int, int]) -> None:
    for number, name in enumerate(["$(touch pwned)", "a b", ";reboot;", "-rf", "`id`", "ü", "*"]):
        router.write(name, route_text(f"odd{number}.{DOMAIN}", "127.0.0.1", ports[0], {}))
        assert router.take(name) == (0, "")
        assert router.names.get(f"odd{number}").status == 200
        (router.folder / "routes" / f"{name}.conf").unlink()
    assert router.take()[0] == 0


def test_many_long_names_fit(router: Router, ports: tuple[int, int]) -> None:
    for number in range(60):
        label = f"{'a' * 60}{number:03}"
        router.write(f"i-{number}", route_text(f"{label}.{DOMAIN}", "127.0.0.1", ports[0], {}))
    assert router.take("i-0", "i-59") == (0, "")
    assert router.names.get(f"{'a' * 60}059").status == 200
    for number in range(60):
        (router.folder / "routes" / f"i-{number}.conf").unlink()
    assert router.take()[0] == 0


def test_another_certificate_is_served_without_a_word(router: Router) -> None:
    def served() -> str:
        trusted = ssl.create_default_context(cadata=router.authority.certificate)
        with socket.create_connection(("127.0.0.1", router.names.port), timeout=5) as plain:  # noqa: SIM117
            with trusted.wrap_socket(plain, server_hostname=f"x.{DOMAIN}") as wrapped:
                return ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(True) or b"")

    new = router.certify()
    until(lambda: served().split() == new.split(), 15)


def test_no_process_of_it_has_rights_where_ports_are_high(router: Router) -> None:
    code, said = ran(router.container, "bash", "-c", "grep -h -E '^(Uid|CapEff)' /proc/[0-9]*/status")
    assert code == 0
    assert {line.split()[1] for line in said.splitlines()} == {"10005", "0000000000000000"}


def test_what_was_asked_for_is_logged_without_what_is_behind_a_question_mark(
    router: Router, ports: tuple[int, int]
) -> None:
    router.lead("shop", ports[0])
    router.names.get("shop", "/web/reset_password?token=Canary")
    until(lambda: "/web/reset_password" in log(router.container))
    assert "Canary" not in log(router.container)


@pytest.mark.parametrize(
    "environment",
    [
        {"ROUTER_DOMAIN": ""},
        {"ROUTER_DOMAIN": "a.b; }"},
        {"ROUTER_DOMAIN": "$(reboot).x"},
        {"ROUTER_PORT": "0"},
        {"ROUTER_PORT": "80;"},
        {"ROUTER_HTTP_PORT": "x"},
    ],
)
def test_a_wrong_setting_ends_it_with_a_sentence(
    engine: docker.DockerClient, images: Images, room: Lab, router: Router, environment: dict[str, str]
) -> None:
    given = {"ROUTER_DOMAIN": DOMAIN, "ROUTER_PORT": str(free_port()), **environment}
    container = started(engine, images["router"], room, router.folder, given)
    assert container.wait(timeout=30)["StatusCode"] == 1
    assert log(container).startswith(f"router: {next(iter(environment))} is ")
    container.remove(force=True, v=True)
