"""The server that was there before: what is on it, that it stays, and that Docker on it is its owner's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from setup.places import CHECKOUT
from tests.lab_guests.fleet import Fleet
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests
from tests.lab_services.sections import PACKAGES, SECTIONS

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended

NET = "10.90"
AT = f"{NET}.1.50"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path_factory.mktemp("server"), "labserver", NET, sections=SECTIONS)
    try:
        yield lab
    finally:
        lab.command("purge")


@pytest.fixture(scope="module")
def said(lab: TestLab) -> dict[str, str]:
    """What `lab server` printed when it made the server."""
    return dict(re.findall(r"^(\w+): (.+)$", lab.command("server").stdout, re.M))


@pytest.fixture(scope="module")
def fleet(lab: TestLab, said: dict[str, str]) -> Fleet:
    """SSH that trusts nothing but the key that was printed."""
    folder = lab.site.directory
    (folder / "known_hosts").write_text(f"{said['address']} {said['host_key']}\n")
    unused = ed25519.Ed25519PrivateKey.generate()
    return Fleet(lab.guests(), folder / "ssh" / "id_ed25519", folder / "known_hosts", unused)


def test_it_is_printed_as_settings_want_it_and_let_in_with_the_printed_key(fleet: Fleet, said: dict[str, str]) -> None:
    assert (said["name"], said["address"], said["user"]) == ("srv-existing", AT, "ops")
    fleet.wait_for_ssh(AT)
    assert fleet.ssh(AT, "hostname; sudo id -un") == "srv-existing\nroot"
    assert fleet.ssh(AT, "systemctl is-system-running --wait") == "running"


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        ("firewall-cmd --state; firewall-cmd --zone=public --list-ports", "running\n9999/tcp"),
        ("firewall-cmd --permanent --zone=public --list-ports", "9999/tcp"),
        ("firewall-cmd --get-active-zones", "carol\n  sources: 192.0.2.0/28\npublic (default)"),
        ("stat -c '%U %a' /home/carol/.ssh/authorized_keys /etc/sudoers.d/carol", "carol 600\nroot 440"),
        ("visudo -c -q; crontab -l -u carol | cut -c1-8; ls /etc/motd.d", "17 4 31 \ncarol"),
        ("stat -c '%U %a' /srv/carol/data; cat /srv/carol/data/index.html", "carol 750\ncarol ok"),
        ("systemctl is-active carol-web cron; systemctl is-enabled carol-web", "active\nactive\nenabled"),
        ("sysctl -n net.ipv4.tcp_keepalive_time; ls /etc/systemd/journald.conf.d", "333\ncarol.conf"),
        ("apt-get update -qq; apt-cache policy | grep -c /srv/carol/packages", "1"),
        ("command -v docker; ls /etc/docker 2>/dev/null; true", ""),
    ],
)
def test_somebody_elses_things_are_on_it(fleet: Fleet, command: str, shows: str) -> None:
    assert fleet.ssh(AT, f"sudo sh -c {command!r}") == shows


def test_asked_again_it_prints_the_same_and_changes_nothing(lab: TestLab, fleet: Fleet, said: dict[str, str]) -> None:
    boot = fleet.ssh(AT, "cat /proc/sys/kernel/random/boot_id; systemctl show -p ActiveEnterTimestamp carol-web")
    assert dict(re.findall(r"^(\w+): (.+)$", lab.command("server").stdout, re.M)) == said
    assert boot == fleet.ssh(
        AT, "cat /proc/sys/kernel/random/boot_id; systemctl show -p ActiveEnterTimestamp carol-web"
    )


def test_another_one_asked_for_twice_at_once_is_made_once(lab: TestLab, said: dict[str, str]) -> None:
    here = [f"--site={lab.site.file}", f"--dir={lab.site.directory}"]

    def make(name: str) -> str:
        line = [sys.executable, "-m", "lab", "server", f"--name={name}", *here]
        done = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=True)
        return str(re.findall(r"^address: (.+)$", done.stdout, re.M)[0])

    with ThreadPoolExecutor() as pool:
        assert set(pool.map(make, ("srv-b", "srv-b"))) == {f"{NET}.1.51"} != {said["address"]}


def test_docker_is_the_owners_and_all_of_it_is_there_after_down_and_up(lab: TestLab, fleet: Fleet) -> None:
    lab.command("server", "--docker")
    source = f"deb [signed-by=/etc/apt/keyrings/docker.asc] {PACKAGES}/apt/docker trixie stable"
    assert fleet.ssh(AT, "cat /etc/apt/sources.list.d/docker.list") == source
    container = fleet.ssh(AT, "sudo docker inspect -f '{{.Id}} {{.HostConfig.RestartPolicy.Name}}' carol-web")
    assert container.endswith(" always")
    lab.command("down")
    lab.command("up")
    fleet.wait_for_ssh(AT)
    fleet.ssh(AT, "systemctl is-system-running --wait")
    answers = "curl -sSf --retry 20 --retry-connrefused --retry-delay 1 http://localhost:"
    assert fleet.ssh(AT, f"{answers}9998 && {answers}9999") == "probe ok\ncarol ok"
    lab.command("server", "--docker")
    assert fleet.ssh(AT, "sudo docker inspect -f '{{.Id}} {{.HostConfig.RestartPolicy.Name}}' carol-web") == container
