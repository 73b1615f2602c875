"""A plain Nginx as an instance has it: what it serves, how, and its logs are on volumes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import docker
import pytest

from lab.identity import Lab
from tests.compose.running import Running, until, used_mib
from tests.images.built import log, ran

pytestmark = pytest.mark.lab  # in order: later tests stop and change what earlier ones use


@pytest.fixture(scope="module")
def site(engine: docker.DockerClient, images: Mapping[str, str], room: Lab) -> Iterator[Running]:
    """Up and healthy."""
    running = Running(engine, room, "nginx", {"nginx": images["nginx"]}, {"NGINX_LOG_LEVEL": "info"})
    try:
        assert running.up() < 30
        yield running
    finally:
        running.compose("down", "--volumes", "--timeout=1")


def test_a_new_instance_serves_its_own_page_and_tells_its_health(site: Running) -> None:
    page = site.call()
    assert page.status_code == 200 and "It works" in page.text
    assert page.headers["Server"] == "nginx" and page.headers["X-Content-Type-Options"] == "nosniff"
    assert site.call("/health").json() == {"status": "ok"} and site.call("/nothing").status_code == 404


def test_it_runs_as_nobody_in_particular_and_writes_to_its_volumes_alone(site: Running) -> None:
    web = site.container("web")
    status = ran(web, "grep", "-E", "^(Uid|CapEff|NoNewPrivs)", "/proc/1/status")[1].split()
    assert status[1] == "10004" and status[-3:] == ["0" * 16, "NoNewPrivs:", "1"]
    assert ran(web, "sh", "-c", "echo x > /usr/x || echo x > /etc/nginx/x")[0] != 0
    assert ran(web, "sh", "-c", "echo x > /srv/www/x && rm /srv/www/x")[0] == 0


def test_requests_are_logged_on_the_volume_and_looks_at_its_health_are_not(site: Running) -> None:
    site.call("/some%20page?a='b")
    site.call("/health")
    logged = ran(site.container("web"), "cat", "/var/log/nginx/access.log")[1]
    assert "GET /some%20page?a='b" in logged and "/health" not in logged


def test_pages_and_configuration_outlive_the_container(site: Running) -> None:
    web = site.container("web")
    other = "server { listen 8080; include /etc/nginx/health.conf; location / { return 418; } }"
    assert ran(web, "sh", "-c", f"echo '{other}' > /etc/nginx/conf.d/default.conf")[0] == 0
    site.compose("up", "--detach", "--wait", "--force-recreate")
    assert site.call().status_code == 418
    assert "some%20page" in ran(site.container("web"), "cat", "/var/log/nginx/access.log")[1]


def test_sixty_fit_on_a_host(site: Running) -> None:
    web = site.container("web")
    for _ in range(200):
        site.call()
    used = used_mib(web)
    print(f"{used:.1f} MiB")
    assert web.attrs["HostConfig"]["Memory"] == 24 << 20 and used < 16


def test_it_stops_at_once(site: Running) -> None:
    web = site.container("web")
    start = time.monotonic()
    web.stop(timeout=10)
    web.reload()
    assert time.monotonic() - start < 3 and web.attrs["State"]["ExitCode"] == 0
    web.start()
    until(lambda: web.exec_run("healthcheck").exit_code == 0, "healthy again")


def test_a_log_that_grew_is_set_aside(site: Running) -> None:
    web = site.container("web")
    assert ran(web, "sh", "-c", "head -c 6000000 /dev/zero | tr '\\0' x >> /var/log/nginx/access.log")[0] == 0
    found = ("sh", "-c", "stat -c %s /var/log/nginx/access.log.1")
    until(lambda: ran(web, *found)[0] == 0, "it was set aside", timeout_s=40)
    site.call("/after")
    assert "/after" in ran(web, "cat", "/var/log/nginx/access.log")[1]


def test_a_configuration_that_is_wrong_is_told_in_one_line(site: Running) -> None:
    web = site.container("web")
    assert ran(web, "sh", "-c", "echo 'server { lisen 8080; }' > /etc/nginx/conf.d/default.conf")[0] == 0
    web.restart(timeout=5)
    line = "nginx: the configuration on the volume is not valid: "
    until(lambda: line in log(web), "it says what is wrong")
    said = next(text for text in log(web).splitlines() if text.startswith(line))
    assert 'unknown directive "lisen" in /etc/nginx/conf.d/default.conf:1' in said
