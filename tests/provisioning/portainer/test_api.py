"""A session with a server: one certificate, its own words, reads repeated and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util import Retry

from lab.processes import free_port
from provisioning.errors import ProvisioningError
from provisioning.portainer import api
from provisioning.portainer.api import Place, Portainer, PortainerError, PortainerLocked, PortainerUnreachable
from tests.provisioning.portainer.answering import DROP, Answer, Answering, answering, certificate_of


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    monkeypatch.setattr(api, "RETRY_PAUSES_S", (0.0, 0.0, 0.0, 0.0))
    with answering(tmp_path) as found:
        yield found


def test_the_pinned_certificate_is_accepted(server: Answering) -> None:
    server.answers = [Answer(200, {"Version": "2.39.2"})]
    assert Portainer(server.place).get("/status") == {"Version": "2.39.2"}
    assert [request.path for request in server.requests] == ["/api/status"]


def test_another_certificate_is_refused_before_anything_is_sent(server: Answering) -> None:
    place = Place(url=server.place.url, certificate=certificate_of("two")[0])
    with pytest.raises(PortainerUnreachable, match="shows another certificate than the one made on its host"):
        Portainer(place, api_key="ptr_secret").post("/auth", {"password": "secret"})
    assert server.requests == []


def test_certificates_that_the_machine_trusts_are_not_enough(
    server: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(server.place.certificate)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(trusted))
    place = Place(url=server.place.url, certificate=certificate_of("two")[0])
    with pytest.raises(PortainerUnreachable, match="another certificate"):
        Portainer(place).get("/status")
    assert server.requests == []


def test_the_certificate_has_to_be_made_for_the_address(server: Answering) -> None:
    place = Place(url=server.place.url.replace("127.0.0.1", "localhost"), certificate=server.place.certificate)
    with pytest.raises(PortainerUnreachable, match="another certificate"):
        Portainer(place).get("/status")
    assert server.requests == []


def test_a_text_that_is_no_certificate_is_told_as_that() -> None:
    with pytest.raises(ProvisioningError, match="Portainer's certificate is none"):
        Portainer(Place(url="https://127.0.0.1:1", certificate="nonsense"))


def test_proxies_of_the_shell_are_not_asked(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    Portainer(server.place).get("/status")
    assert len(server.requests) == 1


def test_an_api_key_goes_as_a_header_and_a_token_as_a_bearer(server: Answering) -> None:
    Portainer(server.place, api_key="ptr_1").get("/users/me")
    Portainer(server.place, token="jwt_1").get("/users/me")
    Portainer(server.place).get("/users/me")
    sent = [(request.headers.get("X-API-Key"), request.headers.get("Authorization")) for request in server.requests]
    assert sent == [("ptr_1", None), (None, "Bearer jwt_1"), (None, None)]


def test_query_and_json_arrive(server: Answering) -> None:
    session = Portainer(server.place)
    session.get("/endpoints", name="a b")
    session.post("/stacks/1/git", {"Env": []}, endpointId=3)
    session.put("/settings", {"LogoURL": "x"})
    session.delete("/stacks/1", endpointId=3)
    assert [(request.method, request.path) for request in server.requests] == [
        ("GET", "/api/endpoints?name=a+b"),
        ("POST", "/api/stacks/1/git?endpointId=3"),
        ("PUT", "/api/settings"),
        ("DELETE", "/api/stacks/1?endpointId=3"),
    ]
    assert [server.requests[1].json, server.requests[2].json] == [{"Env": []}, {"LogoURL": "x"}]


@pytest.mark.parametrize(
    ("answer", "gives"),
    [
        (Answer(204), None),
        (Answer(200, [1, 2]), [1, 2]),
        (Answer(200, b"just text"), "just text"),
    ],
)
def test_an_answer_is_json_or_text_or_nothing(server: Answering, answer: Answer, gives: object) -> None:
    server.answers = [answer]
    assert Portainer(server.place).get("/x") == gives


def test_raw_answers_are_bytes(server: Answering) -> None:
    server.answers = [Answer(200, b"\x01\x00\x00\x00\x00\x00\x00\x02{}")]
    assert Portainer(server.place).call("GET", "/logs", raw=True) == b"\x01\x00\x00\x00\x00\x00\x00\x02{}"


def test_a_locked_server_is_told_with_the_command_that_unlocks_it(server: Answering) -> None:
    server.answers = [Answer(303, None, {"redirect-reason": "AdminInitTimeout", "Location": "/timeout.html"})]
    with pytest.raises(PortainerLocked, match="docker restart portainer"):
        Portainer(server.place).get("/status")
    assert len(server.requests) == 1


def test_other_redirects_are_not_followed(server: Answering) -> None:
    server.answers = [Answer(302, None, {"Location": "https://127.0.0.1:1/elsewhere"})]
    with pytest.raises(PortainerError) as refused:
        Portainer(server.place, api_key="ptr_1").get("/status")
    assert refused.value.status == 302 and len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "Invalid request payload", "details": "Invalid name"}, "Invalid request payload: Invalid name"),
        ({"message": "Access denied", "details": "access denied"}, "Access denied"),
        ({"message": "A: failed to deploy", "details": "failed to deploy"}, "A: failed to deploy"),
        ({"message": "No such container: x"}, "No such container: x"),
        ({"message": "two\n  lines", "details": ""}, "two lines"),
        (b"plain words", "plain words"),
        ([1], "[1]"),
        (b"", "Internal Server Error"),
    ],
)
def test_errors_are_told_in_the_servers_own_words_once(server: Answering, body: object, told: str) -> None:
    server.answers = [Answer(500, body)]
    with pytest.raises(PortainerError) as failed:
        Portainer(server.place).post("/stacks/7?x=secret", {})
    assert (failed.value.status, failed.value.message) == (500, told)
    assert str(failed.value) == f"Portainer: POST /stacks/7: {told} (500)"


def test_details_without_a_message_are_told_alone(server: Answering) -> None:
    server.answers = [Answer(500, {"message": "", "details": "the disk is full"})]
    with pytest.raises(PortainerError) as failed:
        Portainer(server.place).get("/x")
    assert failed.value.message == "the disk is full"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_answer_to_a_read_is_waited_out(server: Answering, status: int) -> None:
    server.answers = [Answer(status), Answer(status), Answer(200, "well")]
    assert Portainer(server.place).get("/status") == "well"
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_an_error_in_the_end(server: Answering) -> None:
    server.answers = [Answer(503, {"message": "busy"})]
    with pytest.raises(PortainerError, match=r"busy \(503\)"):
        Portainer(server.place).get("/status")
    assert len(server.requests) == 5


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_busy_answer_to_a_change_is_not_repeated(server: Answering, method: str) -> None:
    server.answers = [Answer(503, {"message": "busy"}), Answer(200)]
    with pytest.raises(PortainerError, match="busy"):
        Portainer(server.place).call(method, "/stacks", json={})
    assert len(server.requests) == 1


def test_a_busy_answer_that_says_when_to_come_back_is_waited_out(server: Answering) -> None:
    server.answers = [Answer(503, None, {"Retry-After": "0"}), Answer(200, "well")]
    assert Portainer(server.place).get("/status") == "well"


def test_a_read_is_repeated_when_the_connection_drops(server: Answering) -> None:
    server.answers = [Answer(DROP), Answer(200, "well")]
    assert Portainer(server.place).get("/status") == "well"
    assert len(server.requests) == 2


def test_a_change_is_not_repeated_when_the_connection_drops(server: Answering) -> None:
    server.answers = [Answer(DROP), Answer(200, "well")]
    with pytest.raises(PortainerUnreachable, match=r"no answer \(ConnectionError\)"):
        Portainer(server.place).post("/stacks", {"Name": "a"})
    assert len(server.requests) == 1


def test_a_slow_answer_is_no_answer(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "CONNECT_TIMEOUT_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = Place(url=f"https://127.0.0.1:{silent.getsockname()[1]}", certificate=server.place.certificate)
        with pytest.raises(PortainerUnreachable, match="no answer"):
            Portainer(place).call("POST", "/stacks", timeout_s=0.05)


def test_nobody_there_is_no_answer() -> None:
    place = Place(url=f"https://127.0.0.1:{free_port()}", certificate=certificate_of("one")[0])
    with pytest.raises(PortainerUnreachable, match="no answer"):
        Portainer(place).post("/stacks")


def test_a_server_that_hangs_up_before_it_shows_a_certificate_is_not_taken_for_another(server: Answering) -> None:
    with socket.socket() as early:  # as docker-proxy does while the container starts
        early.bind(("127.0.0.1", 0))
        early.listen()
        threading.Thread(target=_hang_up, args=(early,), daemon=True).start()
        place = Place(url=f"https://127.0.0.1:{early.getsockname()[1]}", certificate=server.place.certificate)
        with pytest.raises(PortainerUnreachable) as failed:
            Portainer(place).get("/status")
    assert "another certificate" not in str(failed.value)


def _hang_up(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        connection.recv(65536)  # the whole of its hello: closing with something unread would be a reset
        connection.close()


def test_a_server_that_vanishes_without_a_word_is_noticed_by_the_connection_itself(server: Answering) -> None:
    server.answers = [Answer(200, {})]
    client = Portainer(server.place)
    client.get("/status")
    pools = client._session.adapters["https://"].poolmanager.pools  # type: ignore[attr-defined]
    own = pools[next(iter(pools.keys()))].pool.queue[-1].sock
    assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    probes = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
    between = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) + probes * between <= 30
