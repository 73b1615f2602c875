"""The guestbook for real: three containers, a page out of PostgreSQL, and what happens around it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping

import docker
import pytest
from docker.errors import APIError

from lab.identity import Lab
from tests.compose.running import Running, until
from tests.images.built import log, ran

pytestmark = pytest.mark.lab  # in order: later tests stop and change what earlier ones use

SECRET = "guestbook_db_password"
PASSWORD = "Canary pä\"ss'w$HOME\\ord} {%20;="
CHANGED = "another Canary \u2603"
HOSTILE = 'Robert\'); DROP TABLE entries;-- <script>alert(1)</script> <!--# echo var="uri" --> 🐘'


@pytest.fixture(scope="module")
def guestbook(engine: docker.DockerClient, images: Mapping[str, str], room: Lab) -> Iterator[Running]:
    """Up and healthy."""
    running = Running(engine, room, "guestbook", images, {"GUESTBOOK_LOG_LEVEL": "debug"})
    running.secret(SECRET, PASSWORD)
    try:
        assert running.up() < 30
        yield running
    finally:
        running.compose("down", "--volumes", "--timeout=1")


def healthy(guestbook: Running) -> bool:
    return guestbook.call("/health").status_code == 200


def test_the_page_shows_what_the_database_holds(guestbook: Running) -> None:
    first, second = guestbook.call(), guestbook.call()
    assert first.status_code == 200 and "<title>Guestbook</title>" in first.text
    assert "<dt>Database</dt><dd>PostgreSQL 15" in first.text and "Nobody has written yet" in first.text
    summary = guestbook.call("/api/").json()
    visits = summary["visits"]
    assert f"<dt>Visits</dt><dd>{visits - 1}</dd>" in second.text and f"<dd>{visits - 2}</dd>" in first.text
    assert summary["service"] == "guestbook-api" and summary["database"].startswith("PostgreSQL 15")
    assert set(summary) == {"service", "version", "host", "visits", "total", "time", "database", "entries"}


def test_entries_come_back_as_they_were_written(guestbook: Running) -> None:
    kept = guestbook.call("/api/entries", "POST", json={"author": "Zoë", "text": HOSTILE})
    assert kept.status_code == 201 and kept.json()["text"] == HOSTILE
    form = guestbook.call("/api/entries", "POST", data={"text": "a form & more", "author": ""}, allow_redirects=False)
    assert (form.status_code, form.headers["Location"]) == (303, "../")
    found = [(entry["author"], entry["text"]) for entry in guestbook.call("/api/").json()["entries"]]
    assert found == [("anonymous", "a form & more"), ("Zoë", HOSTILE)]
    page = guestbook.call().text
    assert "<script" not in page and "a form &amp; more" in page and "DROP TABLE entries;-- &lt;script&gt;" in page


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (json.dumps({"text": "x" * 501}), "json", 400),
        (json.dumps({"text": "x", "author": "y" * 61}), "json", 400),
        (json.dumps({"text": "a\0b"}), "json", 400),
        (r'{"text": "\ud800"}', "json", 400),
        (b'{"text": "\xff"}', "json", 400),
        ('{"text": "  "}', "json", 400),
        ('{"text": 5}', "json", 400),
        ('{"text": ' + "[" * 9000, "json", 400),
        ("", "json", 400),
        ("author=somebody", "x-www-form-urlencoded", 400),
        ("<text/>", "xml", 415),
        (b"x" * 20000, "json", 413),
    ],
)
def test_what_is_no_entry_is_refused(guestbook: Running, body: str | bytes, kind: str, status: int) -> None:
    before = guestbook.call("/api/").json()["total"]
    answer = guestbook.call("/api/entries", "POST", data=body, headers={"Content-Type": f"application/{kind}"})
    assert answer.status_code == status
    assert guestbook.call("/api/").json()["total"] == before


def test_a_form_on_another_site_is_refused(guestbook: Running) -> None:
    sent = guestbook.call("/api/entries", "POST", data={"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert sent.status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/", "/api/nothing", "/health", "/static/style.css", "/nothing"])
def test_every_answer_has_the_headers_that_protect_it(guestbook: Running, path: str) -> None:
    headers = guestbook.call(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Server"] == "nginx"


def test_parts_of_the_page_are_not_pages(guestbook: Running) -> None:
    assert {guestbook.call(path).status_code for path in ("/fragment", "/index.html", "/unavailable.html")} == {404}


def test_containers_can_do_no_more_than_they_need(guestbook: Running) -> None:
    for service, container in guestbook.containers().items():
        host = container.attrs["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"], service
        assert host["Memory"] and host["PidsLimit"] and host["NanoCpus"], service
        assert ran(container, "stat", "-c", "%u", "/proc/1")[1] not in ("0", ""), service
        assert ran(container, "grep", "-E", "^CapEff|^NoNewPrivs", "/proc/1/status")[1].split() == [
            "CapEff:",
            "0" * 16,
            "NoNewPrivs:",
            "1",
        ]
        assert ran(container, "sh", "-c", "echo x > /usr/x || echo x > /etc/x || echo x > /srv/x")[0] != 0, service


def test_the_password_is_in_no_description_and_no_log(guestbook: Running) -> None:
    described = json.dumps([one.attrs for one in guestbook.containers().values()], ensure_ascii=False)
    assert "Canary" not in described + guestbook.logs()
    assert "Canary" not in guestbook.call("/health").text + guestbook.call("/api/").text


def test_each_line_of_the_api_is_a_json_object(guestbook: Running) -> None:
    lines = [json.loads(line) for line in log(guestbook.container("api")).splitlines()]
    assert {"time", "level", "event"} <= set(lines[0]) and lines[0]["event"] == "started"


def test_the_database_is_on_a_network_without_a_way_out(guestbook: Running) -> None:
    networks = guestbook.container("db").attrs["NetworkSettings"]["Networks"]
    assert list(networks) == [f"{guestbook.name}_back"]
    assert guestbook.engine.networks.get(f"{guestbook.name}_back").attrs["Internal"]
    assert not guestbook.container("db").attrs["HostConfig"]["PortBindings"]


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_database_that_went_away_is_found_again(guestbook: Running, how: str) -> None:
    before, database = guestbook.call("/api/").json()["entries"], guestbook.container("db")
    if how == "kill":
        database.kill()
        answer = guestbook.call("/health")
        assert answer.status_code == 503 and answer.json()["reason"] == "the database does not answer"
        assert "cannot be read right now" in guestbook.call().text
        database.start()
    else:
        database.restart(timeout=10)
    until(lambda: healthy(guestbook), "healthy again")
    assert guestbook.call("/api/").json()["entries"] == before


def test_health_answers_in_time_when_the_database_hangs(guestbook: Running) -> None:
    guestbook.container("db").pause()
    try:
        start = time.monotonic()
        answer = guestbook.call("/health")
        assert answer.status_code == 503 and time.monotonic() - start < 2.5
    finally:
        guestbook.container("db").unpause()
    until(lambda: healthy(guestbook), "healthy again")


def test_a_changed_password_counts_after_a_restart(guestbook: Running) -> None:
    guestbook.secret(SECRET, CHANGED)
    guestbook.compose("restart", "db", "api")
    until(lambda: healthy(guestbook), "healthy with the new password")
    database = guestbook.container("db")
    command = "psql -XAtq -h 127.0.0.1 -U guestbook -c".split()
    assert ran(database, *command, "SELECT 1", PGPASSWORD=PASSWORD)[0] != 0
    assert ran(database, *command, "SELECT 1", PGPASSWORD=CHANGED) == (0, "1")


def test_an_api_at_a_new_address_is_found(guestbook: Running, images: Mapping[str, str], room: Lab) -> None:
    api, front = guestbook.container("api"), guestbook.engine.networks.get(f"{guestbook.name}_front")
    before = api.attrs["NetworkSettings"]["Networks"][front.name]["IPAddress"]
    api.stop(timeout=5)
    assert guestbook.call("/health").status_code == 503
    squatter = guestbook.engine.containers.run(
        images["postgres"], ["60"], entrypoint=["sleep"], detach=True, labels=room.labels, network=front.name
    )
    try:
        api.start()
        until(lambda: healthy(guestbook), "the API is found")
        api.reload()
        assert api.attrs["NetworkSettings"]["Networks"][front.name]["IPAddress"] != before
    finally:
        squatter.remove(force=True)


def test_each_container_stops_within_three_seconds(guestbook: Running) -> None:
    for service, container in guestbook.containers().items():
        start = time.monotonic()
        container.stop(timeout=10)
        container.reload()
        assert time.monotonic() - start < 3 and container.attrs["State"]["ExitCode"] == 0, service
    assert '"event":"stopped","drained":"yes"' in log(guestbook.container("api"))
    for container in guestbook.containers().values():
        container.start()
    until(lambda: healthy(guestbook), "healthy again")
    assert guestbook.call("/api/").json()["total"] == 2


def test_tables_that_vanished_are_made_anew(guestbook: Running) -> None:
    database = guestbook.container("db")
    command = "psql -XAtq -h 127.0.0.1 -U guestbook -c".split()
    assert ran(database, *command, "DROP TABLE entries, visits", PGPASSWORD=CHANGED)[0] == 0
    assert guestbook.call("/api/").json()["visits"] == 1
    assert healthy(guestbook)


def test_nothing_is_left_after_down(guestbook: Running) -> None:
    guestbook.compose("down", "--volumes", "--timeout=5")
    assert not guestbook.containers()
    with pytest.raises(APIError):
        guestbook.engine.volumes.get(f"{guestbook.name}_data")
