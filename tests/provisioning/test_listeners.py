"""Who listens on which port, by what `ss` and `docker ps` print, and by the program as it runs on hosts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.host import Address, Result
from provisioning.listeners import FORM, PROGRAM, listeners, read_listeners
from tests.hosting.world import HOSTILE

ADDRESS = Address(host="10.0.0.9", user="ops", host_key="ssh-ed25519 AAAA")


def program(place: str, name: str = "nginx") -> str:
    return f'L {place} users:(("{name}",pid=7,fd=3))'


def container(ports: str, *, instance: str = "", project: str = "", name: str = "web-1") -> str:
    return f"D {json.dumps([instance, project, name, ports], ensure_ascii=False)}"


@pytest.mark.parametrize(
    ("place", "port"),
    [
        ("0.0.0.0:22", 22),
        ("[::]:80", 80),
        ("*:9443", 9443),
        ("127.0.0.53%lo:53", 53),
        ("[fe80::1]%eth0:546", 546),
        ("[::ffff:10.0.0.9]:65535", 65535),
    ],
)
def test_programs_are_told_by_name_whatever_they_listen_at(place: str, port: int) -> None:
    assert read_listeners(program(place)) == {port: "nginx"}


@pytest.mark.parametrize("said", ["L 0.0.0.0:22", "L 0.0.0.0:22 ", 'L 0.0.0.0:22 users:(("half'])
def test_a_program_that_ss_does_not_name_is_a_program(said: str) -> None:
    assert read_listeners(said) == {22: "a program"}


@pytest.mark.parametrize("said", ["", "L", "L ", "L x", "L 0.0.0.0:", "L :x y", "something else", "\n\n"])
def test_lines_without_a_port_are_passed_over(said: str) -> None:
    assert read_listeners(f"{said}\n{program('*:22', 'sshd')}") == {22: "sshd"}


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("0.0.0.0:20000->8069/tcp", [20000]),
        ("0.0.0.0:20000->8069/tcp, :::20000->8069/tcp", [20000]),
        ("0.0.0.0:20000->8069/tcp, [::]:20000->8069/tcp", [20000]),
        ("0.0.0.0:20000-20001->8069-8070/tcp", [20000, 20001]),
        ("127.0.0.1:20000->80/tcp, 10.0.0.9:20005-20007->90-92/tcp", [20000, 20005, 20006, 20007]),
        ("0.0.0.0:20000-20001->8069-8070/tcp, 443/tcp, 0.0.0.0:53->53/udp", [20000, 20001]),
        ("8069/tcp, 8072/tcp", []),
        ("0.0.0.0:53->53/udp", []),
        ("", []),
    ],
)
def test_published_ports_are_the_hosts_and_tcp_alone(ports: str, expected: list[int]) -> None:
    assert read_listeners(container(ports, instance="shop")) == dict.fromkeys(expected, "shop")


def test_containers_are_their_instances_else_their_projects_else_their_own() -> None:
    said = [
        container("0.0.0.0:1001->1/tcp", instance="shop", project="i-shop"),
        container("0.0.0.0:1002->1/tcp", project="theirs"),
        container("0.0.0.0:1003->1/tcp", name="alone"),
    ]
    assert read_listeners("\n".join(said)) == {1001: "shop", 1002: "theirs", 1003: "alone"}


def test_a_container_wins_over_the_proxy_that_listens_for_it_wherever_it_stands() -> None:
    lines = [program("0.0.0.0:20000", "docker-proxy"), container("0.0.0.0:20000->80/tcp", instance="shop")]
    assert read_listeners("\n".join(lines)) == read_listeners("\n".join(reversed(lines))) == {20000: "shop"}


@pytest.mark.parametrize(
    "text", [*HOSTILE, "a|b|c", "x|y|0.0.0.0:20005->1/tcp|z", "\u0085L *:7", "\u2028", "\r\nL *:8 x"]
)
def test_a_label_is_a_name_and_nothing_else_whatever_it_holds(text: str) -> None:
    said = container("0.0.0.0:20000->80/tcp", project=text, name="n")
    assert read_listeners(said) == {20000: text}
    assert read_listeners(container("0.0.0.0:20000->80/tcp", instance="shop", project=text, name=text)) == {
        20000: "shop"
    }


class Host:
    """Says what a test wants."""

    def __init__(self, result: Result) -> None:
        self.result = result

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        return self.result


def asked(result: Result) -> dict[int, str]:
    host: Any = Host(result)
    return listeners(host, ADDRESS)


@pytest.mark.parametrize("said", ["D", "D [", "D {}", "D [1]", "D null", "D [1,2,3,4,5]"])
def test_what_docker_does_not_print_is_an_error_with_the_hosts_name(said: str) -> None:
    with pytest.raises(ProvisioningError, match=r"10\.0\.0\.9: its listeners cannot be read: docker said"):
        asked(Result(0, said, ""))


def test_a_program_that_fails_is_an_error_with_its_words() -> None:
    with pytest.raises(ProvisioningError, match=r"10\.0\.0\.9: its listeners cannot be read: ss: not found"):
        asked(Result(127, "", "ss: not found\n"))


def on_host(folder: Path, docker: str | None) -> str:
    """What the program prints where `ss` knows one listener."""
    programs = {"ss": "echo 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=1,fd=3))'"}
    programs |= {"docker": docker} if docker is not None else {}
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    for name in ("bash", "awk"):
        if not (folder / name).exists():
            (folder / name).symlink_to(next(path for path in Path("/usr/bin").glob(name)))
    done = subprocess.run(
        ["/bin/bash", "-s"], input=PROGRAM, capture_output=True, text=True, env={"PATH": str(folder)}, check=True
    )
    return done.stdout


def test_without_docker_or_with_one_that_is_down_programs_are_told_all_the_same(tmp_path: Path) -> None:
    assert read_listeners(on_host(tmp_path, None)) == {22: "sshd"}
    assert read_listeners(on_host(tmp_path, "exit 1")) == {22: "sshd"}


def test_containers_are_asked_for_before_and_after_so_that_none_is_missed(tmp_path: Path) -> None:
    docker = f"""
[ "$1" = info ] && exit
[ "$*" = "ps --no-trunc --format $FORM" ] || exit 9
if [ -e {tmp_path}/first ]; then echo 'D ["b","","","0.0.0.0:2->2/tcp"]'; exit; fi
> {tmp_path}/first
echo 'D ["a","","","0.0.0.0:1->1/tcp"]'
"""
    said = on_host(tmp_path, f"FORM='{FORM}'\n{docker}")
    assert read_listeners(said) == {1: "a", 2: "b", 22: "sshd"}
