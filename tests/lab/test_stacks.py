"""Applications in containers on a VM, deployed by Portainer from git: the main job, and what may go wrong with it."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from setup.exports import read_exports
from tests.lab.checkout import NET, SITE, Checkout

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
STACK, HOST, ADDRESS = "apps", "vm-apps", f"{NET}.0.31"
REGISTRY = "registry.lab.internal:5000"
PROBE = f"{REGISTRY}/lab/probe:1"
SOURCES = [f"{NET}.0.0/24"]
HOSTILE = "a b'c\"d$HOME ${X} $(reboot) `id` #no \\n back\\slash\nsecond line\ttab ünï 🐘 trailing "
GUESTBOOK: dict[str, Any] = {"project": "guestbook", "ports": {"web": 8080}, "sources": SOURCES}
ECHO: dict[str, Any] = {
    "inline": yaml.safe_dump(
        {
            "services": {
                "echo": {
                    "image": PROBE,
                    "restart": "unless-stopped",
                    "environment": {"WORD": "${WORD}"},
                    "labels": ["mine=yes"],
                }
            }
        }
    ),
    "env": {"WORD": HOSTILE},
}


class Vm:
    """The VM with its Portainer, from outside."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout

    def must(self, script: str) -> str:
        """What a script of root's printed that has to work."""
        host = self.checkout.hosts(STACK)[HOST]
        done = self.checkout.ssh(host, f"sudo bash -c {shlex.quote(script)}")
        assert done.code == 0, f"{script}\n{done.text}"
        return done.text

    def ids(self, project: str = "guestbook") -> dict[str, str]:
        """Container by service."""
        form = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        said = self.must(f"docker ps --filter label=com.docker.compose.project={project} --format '{form}'")
        return dict(line.split() for line in said.splitlines())

    def outputs(self, name: str) -> Any:
        """An output of the stack, secrets shown."""
        said = self.checkout.pulumi("stack", "output", name, "--json", "--show-secrets", stack=STACK)
        assert said.code == 0, said.why
        return json.loads(said.text[said.text.index("{") :])

    def portainer(self, method: str, path: str, **body: Any) -> Any:
        """A call of the administrator's."""
        server = self.outputs("portainers")[HOST]
        with requests.Session() as session:
            session.verify, session.trust_env = False, False
            login = {"username": server["user"], "password": server["password"]}
            token = session.post(f"{server['url']}/api/auth", json=login, timeout=20).json()["jwt"]
            session.cookies.clear()  # with them, a change needs a CSRF token
            headers = {"Authorization": f"Bearer {token}"}
            answer = session.request(method, f"{server['url']}/api{path}", headers=headers, timeout=60, **body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def page(port: int = 8080) -> str:
    return requests.get(f"http://{ADDRESS}:{port}/", timeout=10).text


def write_stack(checkout: Checkout, stacks: dict[str, Any], **more: Any) -> None:
    vm = {
        "name": HOST,
        "first_id": 1300,
        "memory_mib": 4096,
        "networks": [{"bridge": "vmbr0", "address": f"{ADDRESS}/24"}],
    }
    keys: dict[str, Any] = {
        "site": SITE,
        "vms": [vm],
        "baseline": {"packages": ["ca-certificates"], "firewall": {}},
        "docker": {},
        "portainer": {"sources": SOURCES},
        "stacks": stacks,
        **more,
    }
    checkout.write_settings(STACK, **keys)


@contextmanager
def edited(file: Path, old: str, new: str) -> Iterator[None]:
    """A file of the copy with other text in it for the length of a block."""
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new, 1))
    try:
        yield
    finally:
        file.write_text(before)


@pytest.fixture(scope="module")
def vm(checkout: Checkout) -> Vm:
    return Vm(checkout)


def test_up_ends_with_an_application_that_has_read_its_database(checkout: Checkout, vm: Vm) -> None:
    write_stack(checkout, {"guestbook": GUESTBOOK, "echo": ECHO})
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert f"guestbook web: http://{ADDRESS}:8080" in up.text
    assert "PostgreSQL" in page()
    assert requests.get(f"http://{ADDRESS}:8080/health", timeout=10).status_code == 200
    told = vm.outputs("stacks")["guestbook"]
    assert re.fullmatch(r"[0-9a-f]{40}", told["commit"])
    assert all("@sha256:" in image for image in told["images"].values())
    assert re.search(r"guestbook creating \(\d+s\) .*db healthy", up.text), "no progress was shown"


def test_the_second_time_nothing_changes(checkout: Checkout, vm: Vm) -> None:
    before = vm.ids()
    began = time.monotonic()
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert re.search(r"Resources:\n +\d+ unchanged\n", up.text), up.text
    assert time.monotonic() - began < 15
    assert checkout.preview("--refresh", stack=STACK) == {}
    assert vm.ids() == before


def test_values_of_the_environment_arrive_byte_for_byte(vm: Vm) -> None:
    container = vm.ids("echo")["echo"]
    found = json.loads(vm.must(f"docker inspect -f '{{{{json .Config.Env}}}}' {container}"))
    assert f"WORD={HOSTILE}" in found


def test_every_container_says_whose_it_is(vm: Vm) -> None:
    for container in (*vm.ids().values(), *vm.ids("echo").values()):
        labels = json.loads(vm.must(f"docker inspect -f '{{{{json .Config.Labels}}}}' {container}"))
        for key, value in {"env": STACK, "tenant": SITE}.items():
            assert labels[f"hypercompose.{key}"] == value
        assert labels["hypercompose.stack"] == labels["hypercompose.instance"] == labels["hypercompose.product"]


def test_containers_have_limits_and_no_rights(vm: Vm) -> None:
    for container in vm.ids().values():
        found = json.loads(vm.must(f"docker inspect {container}"))[0]
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["Privileged"]
        assert host["Memory"]
        assert host["PidsLimit"]
        assert host["NanoCpus"]
        assert found["Config"]["User"] not in ("", "0", "root")
        assert found["State"]["Health"]["Status"] == "healthy"
    server = json.loads(vm.must("docker inspect portainer"))[0]["HostConfig"]
    assert server["PortBindings"]["9443/tcp"][0]["HostIp"] == ADDRESS
    sockets = vm.must("docker ps -q | xargs docker inspect -f '{{.Name}} {{.HostConfig.Binds}}' | grep docker.sock")
    assert sockets.split()[0] == "/portainer"
    assert len(sockets.splitlines()) == 1


def test_the_made_up_secret_is_nowhere_but_in_its_file(checkout: Checkout, vm: Vm) -> None:
    folder = "/etc/hypercompose/stacks/guestbook/secrets"
    secret = vm.must(f"cat {folder}/guestbook_db_password")
    assert len(secret) == 32
    assert vm.must(f"stat -c '%a %U' {folder}").split() == ["700", "root"]
    inspected = vm.must("docker ps -aq | xargs docker inspect; docker ps -aq | xargs -n1 docker logs 2>&1")
    assert secret not in inspected
    assert secret not in vm.must("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl -o cat")
    states = [file.read_text() for file in (checkout.folder / ".lab" / "state").rglob("*.json") if file.is_file()]
    administrator = vm.outputs("portainers")[HOST]["password"]
    git = read_exports(checkout.folder / ".lab" / "credentials.env")["HYPERCOMPOSE_GIT_PASSWORD"]
    shown = checkout.pulumi("preview", "--json", "--show-sames", "--refresh", stack=STACK).text
    for canary in (secret, administrator, git):
        assert states
        assert all(canary not in state for state in states)
        assert canary not in shown


def test_a_change_of_one_service_leaves_the_others_running(checkout: Checkout, vm: Vm) -> None:
    before = vm.ids()
    file = checkout.folder / "compose" / "guestbook" / "compose.yaml"
    with edited(file, "mem_limit: 64m", "mem_limit: 65m"):
        shown = checkout.pulumi("preview", "--diff", stack=STACK).text
        assert re.search(r'mem_limit +: "64m" => "65m"', shown), shown
        up = checkout.make("up", stack=STACK)
        assert up.code == 0, up.why
        after = vm.ids()
        assert {name for name in after if after[name] != before[name]} == {"web"}


def test_what_does_not_start_is_named_with_its_last_words_and_the_old_version_is_back(
    checkout: Checkout, vm: Vm
) -> None:
    file = checkout.folder / "compose" / "guestbook" / "compose.yaml"
    broken = 'image: guestbook-web\n    entrypoint: [sh, -c, "echo no such luck; exit 3"]'
    with edited(file, "image: guestbook-web", broken):
        up = checkout.make("up", stack=STACK)
    assert up.code != 0
    assert "service web: " in up.why
    assert "no such luck" in up.why
    assert "runs again" in up.why
    assert "PostgreSQL" in page()
    assert set(vm.ids()) == {"web", "api", "db"}
    healed = checkout.make("refresh", stack=STACK)
    assert healed.code == 0, healed.why
    healed = checkout.make("up", stack=STACK)
    assert healed.code == 0, healed.why
    assert checkout.preview("--refresh", stack=STACK) == {}


def test_bad_input_is_refused_by_name_and_what_runs_keeps_running(checkout: Checkout, vm: Vm) -> None:
    before = vm.ids()
    vm.must("systemd-run -q --unit squatter python3 -m http.server 8099 --bind 0.0.0.0")
    vm.must(f"mkdir -p /root/x && cd /root/x && printf 'services: {{a: {{image: \"{PROBE}\"}}}}' >compose.yaml")
    vm.must("cd /root/x && docker compose -p theirs up -d 2>&1")
    git = f"https://git.lab.internal:3443/hypercompose/deployments.git"  # noqa: F541
    image = {"image": PROBE}
    bad: dict[str, tuple[dict[str, Any], str]] = {
        "unknown-key": (_inline({"web": {**image, "imgae": "x"}}), "imgae"),
        "no-image": (_inline({"web": {"image": f"{REGISTRY}/lab/none:1"}}), "lab/none"),
        "no-digest": (
            _inline({"web": {"image": f"{REGISTRY}/lab/probe@sha256:{'0' * 64}"}}),
            "images: cannot be pulled",
        ),
        "host-path": (_inline({"web": {**image, "volumes": ["/etc:/x"]}}), "services.web.volumes: /etc"),
        "relative-path": (_inline({"web": {**image, "volumes": ["./conf:/x"]}}), "services.web.volumes: conf"),
        "by-volume": (
            {
                "inline": yaml.safe_dump(
                    {
                        "services": {"web": {**image, "volumes": ["vol:/x"]}},
                        "volumes": {"vol": {"driver_opts": {"type": "none", "o": "bind", "device": "/etc"}}},
                    }
                )
            },
            "volumes.vol.driver_opts.device: /etc",
        ),
        "port": (_inline({"web": {**image, "ports": ["8099:8080"]}}), "port 8099/tcp: taken by another program"),
        "port-of-ours": (
            _inline({"web": {**image, "ports": ["8080:8080"]}}),
            "8080/tcp: taken by the compose project guest",
        ),
        "theirs": (_inline({"a": image}), "name theirs: taken by a compose project outside of Portainer"),
        "no-ref": ({"git": {"url": git, "ref": "refs/heads/none"}}, "has no refs/heads/none"),
        "no-path": (
            {"git": {"url": git, "ref": f"refs/heads/{STACK}/guestbook", "path": "x.yaml"}},
            "path x.yaml: not in",
        ),
        "no-repository": ({"git": {"url": git.replace("deployments", "none")}}, "no such repository"),
        "no-login": ({"git": {"url": git, "login": False}}, "refuses to be read without a login"),
    }
    write_stack(checkout, {"guestbook": GUESTBOOK, "echo": ECHO, **{name: stack for name, (stack, _) in bad.items()}})
    up = checkout.make("up", stack=STACK, args="--continue-on-error")
    assert up.code != 0
    for name, (_, text) in bad.items():
        found = re.findall(rf"error: (stack {name} on .*)", up.text)
        assert found, f"{name}: {up.why}"
        assert text in found[0], f"{name}: {found[0]}"
    assert vm.ids() == before
    assert vm.ids("theirs")
    vm.must("systemctl stop squatter; cd /root/x && docker compose -p theirs down 2>&1")
    write_stack(checkout, {"guestbook": GUESTBOOK, "echo": ECHO})


def _inline(services: dict[str, Any]) -> dict[str, Any]:
    return {"inline": yaml.safe_dump({"services": services})}


def test_a_stack_of_others_is_adopted_only_when_told(checkout: Checkout, vm: Vm) -> None:
    environment = vm.portainer("GET", "/endpoints")[0]["Id"]
    text = yaml.safe_dump({"services": {"echo": {"image": PROBE}}})
    vm.portainer(
        "POST",
        f"/stacks/create/standalone/string?endpointId={environment}",
        json={"Name": "found", "StackFileContent": text},
    )
    stacks = {"guestbook": GUESTBOOK, "echo": ECHO, "found": {"inline": text}}
    write_stack(checkout, stacks)
    up = checkout.make("up", stack=STACK)
    assert "the name found is taken by a stack that is not ours" in up.why
    stacks["found"]["adopt"] = True
    write_stack(checkout, stacks)
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    write_stack(checkout, {"guestbook": GUESTBOOK, "echo": ECHO})  # the next test's `up` removes it


def test_drift_of_a_stack_is_told_in_words_and_healed(checkout: Checkout, vm: Vm) -> None:
    vm.must(f"docker stop {vm.ids()['web']}; docker rm -f {vm.ids('echo')['echo']}")
    stack = next(s for s in vm.portainer("GET", "/stacks") if s["Name"] == "echo")
    shown = checkout.pulumi("preview", "--refresh", "--diff", stack=STACK).text
    assert "web is exited" in shown, shown
    assert "echo has no container" in shown
    up = checkout.make("up", stack=STACK, args="--refresh")
    assert up.code == 0, up.why
    assert "PostgreSQL" in page()
    assert set(vm.ids("echo")) == {"echo"}
    assert vm.ids("found") == {}
    assert next(s["Id"] for s in vm.portainer("GET", "/stacks") if s["Name"] == "echo") == stack["Id"]


def test_an_api_key_that_somebody_revoked_is_made_again(checkout: Checkout, vm: Vm) -> None:
    before = vm.ids()
    for key in vm.portainer("GET", "/users/1/tokens"):
        vm.portainer("DELETE", f"/users/1/tokens/{key['id']}")
    up = checkout.make("up", stack=STACK, args="--refresh")
    assert up.code == 0, up.why
    assert vm.ids() == before
    assert checkout.preview("--refresh", stack=STACK) == {}


def test_portainer_restarted_while_it_deploys_costs_a_second_run_at_most(checkout: Checkout, vm: Vm) -> None:
    slow = yaml.safe_dump(
        {
            "services": {
                "a": {
                    "image": PROBE,
                    "healthcheck": {"test": ["CMD", "true"], "interval": "4s", "start_period": "1s"},
                },
                "b": {"image": PROBE, "depends_on": {"a": {"condition": "service_healthy"}}},
            }
        }
    )
    write_stack(checkout, {"guestbook": GUESTBOOK, "echo": ECHO, "slow": {"inline": slow, "timeout_s": 60}})
    vm.must("(sleep 9; docker restart portainer) >/dev/null 2>&1 &")
    first = checkout.make("up", stack=STACK)
    again = checkout.make("up", stack=STACK)
    assert again.code == 0, f"{first.why}\n{again.why}"
    assert set(vm.ids("slow")) == {"a", "b"}
    assert [s["Name"] for s in vm.portainer("GET", "/stacks")].count("slow") == 1
    assert checkout.preview("--refresh", stack=STACK) == {}


def test_destroy_keeps_named_volumes_unless_told(checkout: Checkout, vm: Vm) -> None:
    text = yaml.safe_dump({"services": {"a": {"image": PROBE, "volumes": ["vol:/v"]}}, "volumes": {"vol": {}}})
    write_stack(checkout, {"guestbook": GUESTBOOK, "light": {"inline": text, "keep_volumes": False}})
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert {"guestbook_data", "light_vol"} <= set(vm.must("docker volume ls -q").split())
    write_stack(checkout, {})
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    left = set(vm.must("docker volume ls -q").split())
    assert "guestbook_data" in left
    assert "light_vol" not in left
    assert vm.ids() == {}
    assert vm.must("ls /etc/hypercompose/stacks 2>/dev/null || true") == ""
    assert checkout.make("down", stack=STACK).code == 0
