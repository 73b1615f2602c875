"""A Portainer server loses its data, changes its keys, its release; what it runs goes on."""

from __future__ import annotations

import json
import re
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from provisioning.images.lock import Lock, Locked, load_lock, write_lock
from tests.lab.checkout import NET, SITE, Checkout

pytestmark = [pytest.mark.lab, pytest.mark.soak]  # in order: each test goes on where the one before ended
STACK, HOST, ADDRESS = "portainers", "vm-portainer", f"{NET}.0.41"
OTHER, OTHER_ADDRESS = "vm-other", f"{NET}.0.42"
PROBE = "registry.lab.internal:5000/lab/probe:1"
SOURCES = [f"{NET}.0.0/24"]
NEWER = "2.40.1"
BACKUP_PASSWORD = "twelve letters and more"
ECHO: dict[str, Any] = {"inline": yaml.safe_dump({"services": {"echo": {"image": PROBE, "restart": "unless-stopped"}}})}
FORGET = """
docker stop portainer >/dev/null
docker run --rm -v portainer_data:/data --entrypoint python3 "$(docker inspect -f '{{.Config.Image}}' portainer)" -c '
import json, pathlib
file = pathlib.Path("/data/portainer.json")
found = json.loads(file.read_text())
found["buckets"]["stacks"] = {}
file.write_text(json.dumps(found))'
docker start portainer
"""
GUESTBOOK: dict[str, Any] = {"project": "guestbook", "ports": {"web": 8080}, "sources": SOURCES}


class World:
    """The stack, and its hosts from outside."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout

    def must(self, script: str, host: str = HOST) -> str:
        """What a script of root's printed that has to work."""
        done = self.try_(script, host)
        assert done[0] == 0, f"{script}\n{done[1]}"
        return done[1]

    def try_(self, script: str, host: str = HOST) -> tuple[int, str]:
        """Exit code and output."""
        found = self.checkout.hosts(STACK)[host]
        done = self.checkout.ssh(found, f"sudo bash -c {shlex.quote(script)}")
        return done.code, done.text

    def ids(self, host: str = HOST) -> list[str]:
        """Containers of stacks, with the time each was started at."""
        form = "{{.Id}} {{.State.StartedAt}}"
        said = self.must(
            f"docker ps -q --filter label=com.docker.compose.project | xargs docker inspect -f '{form}'", host
        )
        return sorted(said.splitlines())

    def up(self, *arguments: str) -> str:
        """Through `make up`."""
        done = self.checkout.make("up", stack=STACK, args=" ".join(arguments))
        assert done.code == 0, "\n".join(line for line in done.text.splitlines() if "creat" not in line)[-6000:]
        return done.text

    def portainer(self) -> dict[str, str]:
        """Url, user, password."""
        said = self.checkout.pulumi("stack", "output", "portainers", "--json", "--show-secrets", stack=STACK)
        found: dict[str, dict[str, str]] = json.loads(said.text[said.text.index("{") :])
        return found[HOST]

    def call(self, method: str, path: str, **body: Any) -> Any:
        """A call of the administrator's."""
        server = self.portainer()
        with requests.Session() as session:
            session.verify, session.trust_env = False, False
            session.mount(
                "https://", HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.2))
            )  # it may just start
            login = {"username": server["user"], "password": server["password"]}
            token = session.post(f"{server['url']}/api/auth", json=login, timeout=20).json()["jwt"]
            session.cookies.clear()  # with them, a change needs a CSRF token
            headers = {"Authorization": f"Bearer {token}"}
            answer = session.request(method, f"{server['url']}/api{path}", headers=headers, timeout=60, **body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def version(self) -> str:
        answer = requests.get(f"https://{ADDRESS}:9443/api/status", verify=False, timeout=10)  # noqa: S501
        return str(answer.json()["Version"])


def write_stack(checkout: Checkout, **portainer: Any) -> None:
    vms = [
        {
            "name": name,
            "first_id": number,
            "memory_mib": 2048,
            "networks": [{"bridge": "vmbr0", "address": f"{address}/24"}],
        }
        for name, number, address in ((HOST, 1400, ADDRESS), (OTHER, 1410, OTHER_ADDRESS))
    ]
    keys: dict[str, Any] = {
        "site": SITE,
        "vms": vms,
        "baseline": {"packages": ["ca-certificates"], "firewall": {}},
        "docker": {},
        "portainer": {"sources": SOURCES, "server": HOST, **portainer},
        "stacks": {
            "echo": {**ECHO, "host": HOST},
            "guestbook": {**GUESTBOOK, "host": HOST},
            "far": {**ECHO, "host": OTHER},
        },
    }
    checkout.write_settings(STACK, **keys)


@pytest.fixture(scope="module")
def world(checkout: Checkout) -> World:
    return World(checkout)


def test_up_makes_server_and_stacks_and_the_second_time_nothing(checkout: Checkout, world: World) -> None:
    write_stack(checkout)
    world.up()
    assert checkout.preview("--refresh", stack=STACK) == {}
    assert len(world.ids()) == 4
    assert len(world.ids(OTHER)) == 1
    assert {place["Name"] for place in world.call("GET", "/endpoints")} == {HOST, OTHER}


def test_docker_of_the_other_host_answers_portainer_alone(world: World) -> None:
    asked = f"printf 'GET /version HTTP/1.0\r\n\r\n' | timeout 5 openssl s_client -quiet -connect {OTHER_ADDRESS}:2376"
    assert "ApiVersion" not in world.try_(asked)[1], "without a client certificate"
    files = "-cert cert.pem -key key.pem -CAfile ca.pem -verify_return_error"
    place = "cd $(docker volume inspect -f '{{.Mountpoint}}' portainer_data)/tls/2"
    assert "ApiVersion" in world.must(f"{place} && {asked} {files} 2>/dev/null")
    with pytest.raises(OSError, match=r"refused|unreachable|No route"):
        socket.create_connection((OTHER_ADDRESS, 2376), timeout=3)


def test_a_lost_data_volume_is_filled_from_the_graph_and_no_container_notices(checkout: Checkout, world: World) -> None:
    before, old = [*world.ids(), *world.ids(OTHER)], world.call("GET", "/stacks")
    world.must("docker rm -f portainer && docker volume rm portainer_data")
    planned = checkout.preview("--refresh", stack=STACK)
    assert {planned[name] for name in ("echo", "guestbook", "far", f"{HOST}-portainer-access")} == {"update"}
    world.up("--refresh")
    assert [*world.ids(), *world.ids(OTHER)] == before
    assert {stack["Name"] for stack in world.call("GET", "/stacks")} == {stack["Name"] for stack in old}
    assert {place["Name"] for place in world.call("GET", "/endpoints")} == {HOST, OTHER}
    assert len(world.call("GET", "/registries")) == 1
    assert checkout.preview("--refresh", stack=STACK) == {}


def test_a_server_that_forgot_one_stack_gets_it_back_without_adopt(checkout: Checkout, world: World) -> None:
    before = world.ids()
    world.must(FORGET)
    world.up("--refresh")
    assert world.ids() == before


def test_password_and_key_are_changed_by_a_number_and_no_container_notices(checkout: Checkout, world: World) -> None:
    before, password = world.ids(), world.portainer()["password"]
    started = world.must("docker inspect -f '{{.State.StartedAt}}' portainer")
    keys = {key["id"] for key in world.call("GET", "/users/1/tokens")}
    write_stack(checkout, key_generation=2, password_generation=2)
    world.up()
    assert world.portainer()["password"] != password
    assert world.must("cat /etc/hypercompose/portainer/secrets/admin") == world.portainer()["password"]
    after = {key["id"] for key in world.call("GET", "/users/1/tokens")}
    assert len(after) == 1
    assert not after & keys
    assert world.must("docker inspect -f '{{.State.StartedAt}}' portainer") == started
    assert world.ids() == before


def test_a_backup_becomes_the_server_again(checkout: Checkout, world: World) -> None:
    before, known = world.ids(), world.call("GET", "/stacks")
    place = ["make", "-s", "portainer-backup", f"STACK={STACK}", f"SITE={SITE}"]
    variable = f"HYPERCOMPOSE_PORTAINER_BACKUP_PASSWORD={BACKUP_PASSWORD}"
    saved = checkout.run(["env", variable, *place])
    assert saved.code == 0, saved.text
    file = Path(saved.text.splitlines()[-1].rpartition(" (")[0])
    assert file.stat().st_mode & 0o777 == 0o600
    world.must(FORGET)
    place[2] = "portainer-restore"
    refused = checkout.run(["env", f"{variable}x", *place, f"FILE={file}"])
    assert refused.code != 0
    assert "was not restored" in refused.text
    assert world.call("GET", "/stacks") == []
    restored = checkout.run(["env", variable, *place, f"FILE={file}"])
    assert restored.code == 0, restored.text
    assert [stack["Id"] for stack in world.call("GET", "/stacks")] == [stack["Id"] for stack in known]
    world.up("--refresh")
    assert world.ids() == before


def test_another_release_and_the_way_back(checkout: Checkout, world: World) -> None:
    before = world.ids()
    lock = checkout.folder / ".lab" / "images.lock.yaml"
    _lock_another(world, lock, "portainer-newer", f"ENV HYPERCOMPOSE_LAB_PORTAINER_VERSION={NEWER}")
    write_stack(checkout, key_generation=2, password_generation=2, image="portainer-newer")
    world.up()
    assert world.version() == NEWER
    kept = world.must("ls /var/lib/hypercompose/portainer").split()
    assert len([name for name in kept if "before-restore" not in name]) == 1
    assert world.must("stat -c %a /var/lib/hypercompose/portainer").strip() == "700"
    write_stack(checkout, key_generation=2, password_generation=2)
    world.up()
    assert world.version() == "2.23.0"
    assert world.ids() == before


def test_a_release_that_does_not_start_leaves_the_old_one_with_its_data(checkout: Checkout, world: World) -> None:
    before = world.ids()
    lock = checkout.folder / ".lab" / "images.lock.yaml"
    _lock_another(world, lock, "portainer-broken", 'ENTRYPOINT ["/bin/sh", "-c", "echo no such luck; exit 3"]')
    write_stack(checkout, key_generation=2, password_generation=2, image="portainer-broken")
    failed = checkout.make("up", stack=STACK)
    assert failed.code != 0
    assert "no such luck" in failed.text
    assert "runs again, with the data as they were" in failed.text
    assert world.version() == "2.23.0"
    assert len(world.call("GET", "/stacks")) == 3
    write_stack(checkout, key_generation=2, password_generation=2)
    world.up()
    assert world.ids() == before
    assert checkout.preview("--refresh", stack=STACK) == {}


def _lock_another(world: World, file: Path, key: str, change: str) -> None:
    """Push the server's image with one change, and lock its digest under a key."""
    lock = load_lock(file)
    reference = f"{lock.registry}/portainer/portainer-ce:{key}"
    said = world.must(
        f"made=$(docker create $(docker inspect -f '{{{{.Config.Image}}}}' portainer)) && "
        f"docker commit -c {shlex.quote(change)} $made {reference} >/dev/null && docker rm $made >/dev/null && "
        f"docker push -q {reference} && docker inspect -f '{{{{.RepoDigests}}}}' {reference}"
    )
    digest = re.search(r"portainer-ce@(sha256:[0-9a-f]{64})", said)
    assert digest, said
    image = Locked(repository="portainer/portainer-ce", digest=digest[1], tag=key)
    write_lock(file, Lock(registry=lock.registry, images={**lock.images, key: image}))
