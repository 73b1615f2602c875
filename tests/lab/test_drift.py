"""The drift report on a stack with everything: what was changed by hand, what cannot be reached, nothing touched."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from setup.exports import read_exports
from tests.lab.checkout import Checkout, Done, OwnLab, own_lab

OWN = OwnLab(site="lab-drift", net="10.87", port=18187)  # it breaks what others would use
SITE, NET = OWN.site, OWN.net
pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
STACK, APPS, PLAIN = "drifting", "vm-drift", "vm-plain"
ADDRESSES = {APPS: f"{NET}.0.41", PLAIN: f"{NET}.0.42"}
ECHO = {"services": {"echo": {"image": "registry.lab.internal:5000/lab/probe:1", "environment": {"WORD": "${WORD}"}}}}
HOSTILE = 'a "b" $(reboot) <script> | ünï\nline'


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A copy of this checkout with a running lab of its own."""
    with own_lab(OWN) as found:
        yield found


class World:
    """The stack and its hosts, from outside."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self._hosts: dict[str, Any] = {}

    def write(self, **baseline: Any) -> None:
        """Its settings."""
        vms = [
            {"name": name, "first_id": 1400 + 10 * n, "memory_mib": 2048, "networks": [_nic(name)]}
            for n, name in enumerate(ADDRESSES)
        ]
        vms[1] |= {"docker": None, "portainer": None, "memory_mib": 1024}
        guestbook = {"project": "guestbook", "ports": {"web": 8080}, "sources": [f"{NET}.0.0/24"]}
        keys = {
            "site": SITE,
            "vms": vms,
            "baseline": {"firewall": {}, "sysctl": {"net.ipv4.tcp_fin_timeout": 45}, **baseline},
            "docker": {},
            "portainer": {"sources": [f"{NET}.0.0/24"]},
            "stacks": {"guestbook": guestbook, "echo": {"inline": yaml.safe_dump(ECHO), "env": {"WORD": HOSTILE}}},
        }
        self.checkout.write_settings(STACK, **keys)

    def must(self, host: str, script: str) -> str:
        """What a script of root's printed that has to work."""
        self._hosts = self._hosts or self.checkout.hosts(STACK)
        done = self.checkout.ssh(self._hosts[host], f"sudo bash -c {shlex.quote(script)}")
        assert done.code == 0, f"{script}\n{done.text}"
        return done.text

    def vm(self, name: str) -> str:
        """The path of a VM in the API."""
        found = self.checkout.api().get("/cluster/resources", type="vm")
        return next(f"/nodes/{vm['node']}/qemu/{vm['vmid']}" for vm in found if vm.get("name") == name)

    def drift(self, *arguments: str) -> Done:
        """The report, with its own exit code: make has 2 for every failure."""
        words = ["drift", "--stack", STACK, "--site", SITE, "--", *arguments]
        return self.checkout.run(["python3", "-m", "setup", *words])

    def report(self, *arguments: str) -> tuple[Done, dict[str, Any]]:
        """What a person saw, and the report as it is kept."""
        self.kept.unlink(missing_ok=True)
        done = self.drift(*arguments)
        assert self.kept.exists(), done.text
        found: dict[str, Any] = json.loads(self.kept.read_text())
        return done, found

    @property
    def kept(self) -> Path:
        """Where the last report is kept."""
        return self.checkout.folder / ".lab" / "drift" / f"{STACK}.json"

    @property
    def state(self) -> Path:
        """The state's file."""
        return self.checkout.folder / ".lab" / "state" / ".pulumi" / "stacks" / "hypercompose" / f"{STACK}.json"

    def facts(self) -> str:
        """What a report could have changed on the host with everything."""
        return self.must(
            APPS,
            "sysctl -n net.ipv4.tcp_fin_timeout; sha256sum /etc/docker/daemon.json; firewall-cmd --list-all-policies; "
            "docker ps -a --no-trunc --format '{{.ID}} {{.Image}} {{.State}}' | sort; "
            "stat -c '%n %Y' /etc/docker/* /etc/ssh/* /var/lib/hypercompose/*",
        )


def _nic(name: str) -> dict[str, str]:
    return {"bridge": "vmbr0", "address": f"{ADDRESSES[name]}/24"}


def drifted(report: dict[str, Any]) -> dict[str, Any]:
    """Name of each drifted resource -> its found values by property."""
    return {
        one["urn"].rpartition("::")[2]: {change["property"]: change["found"] for change in one["changes"]}
        for one in report["resources"]
        if one["status"] == "drifted"
    }


@contextmanager
def untouched(world: World) -> Iterator[None]:
    """State and hosts are the same before and after."""
    state, facts = world.state.read_bytes(), world.facts()
    yield
    assert world.state.read_bytes() == state
    assert world.facts() == facts
    assert not list(world.checkout.folder.glob(f".lab/state/.pulumi/locks/**/{STACK}/*"))


@pytest.fixture(scope="module")
def world(checkout: Checkout) -> World:
    found = World(checkout)
    found.write()
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    return found


def test_after_an_up_everything_is_clean_and_the_report_is_kept(world: World) -> None:
    with untouched(world):
        done, report = world.report("--json")
    assert (done.code, report["verdict"], report["changes"], report["unknown"]) == (0, "clean", 0, 0), report
    assert {one["host"] for one in report["resources"]} >= {APPS, PLAIN}
    assert json.loads(done.text[done.text.index("{\n") :]) == report
    assert world.kept.stat().st_mode & 0o777 == 0o600


def test_what_was_changed_by_hand_is_named_and_settings_not_applied_are_told_apart(world: World) -> None:
    world.checkout.api().put(f"{world.vm(APPS)}/config", {"memory": 3072})
    world.must(APPS, "sed -i s/10m/99m/ /etc/docker/daemon.json; sysctl -qw net.ipv4.tcp_fin_timeout=60")
    world.must(APPS, "firewall-cmd -q --policy=hypercompose --add-port=4444/tcp")
    change_env(world, "echo", {"WORD": "other $(reboot)"})
    other_image(world, "guestbook", "web")
    world.write(sysctl={"net.ipv4.tcp_fin_timeout": 45, "net.ipv4.tcp_syncookies": 1})
    metrics = world.checkout.folder / ".lab" / "drift.prom"
    with untouched(world):
        done, report = world.report("--prometheus", str(metrics))
    found = drifted(report)
    assert done.code == 2, done.text
    assert found[f"{APPS}-vm"] == {"memory.dedicated": 3072}
    assert found[f"{APPS}-sysctl"] == {'settings["net.ipv4.tcp_fin_timeout"]': "60"}
    assert found[f"{APPS}-docker-daemon"]['config["log-opts"]["max-size"]'] == "99m"
    assert "4444" in json.dumps(found[f"{APPS}-firewall"])
    assert found["echo"]["env.WORD"] == "other $(reboot)"
    assert "web runs registry.lab.internal:5000/lab/probe:1" in found["guestbook"]["state"]
    assert not any(name.startswith(PLAIN) for name in found)
    assert {one["urn"].rpartition("::")[2] for one in report["pending"]} == {f"{APPS}-sysctl", f"{PLAIN}-sysctl"}
    samples = {
        (sample.name, sample.labels.get("status") or sample.labels.get("verdict", "")): sample.value
        for family in text_string_to_metric_families(metrics.read_text())
        for sample in family.samples
    }
    assert samples["hypercompose_drift_resources", "drifted"] == len(found)
    assert samples["hypercompose_drift_verdict", "drifted"] == 1
    for line in (
        "memory.dedicated: 2048 => 3072",
        'max-size"]: "10m" => "99m"',
        "Settings not applied yet (no drift",
    ):
        assert line in done.text, done.text
    secrets = read_exports(world.checkout.folder / ".lab" / "credentials.env")
    for name in ("PROXMOX_VE_API_TOKEN", "HYPERCOMPOSE_GIT_PASSWORD", "HYPERCOMPOSE_REGISTRY_PASSWORD"):
        assert secrets[name] not in json.dumps(report) + done.text


def change_env(world: World, name: str, env: dict[str, str]) -> None:
    """Change variables of a stack in Portainer, as its page does."""
    said = world.checkout.pulumi("stack", "output", "portainers", "--json", "--show-secrets", stack=STACK)
    server = json.loads(said.text[said.text.index("{") :])[APPS]
    login = {"username": server["user"], "password": server["password"]}
    token = call("POST", f"{server['url']}/api/auth", json=login)["jwt"]
    stack = next(one for one in call("GET", f"{server['url']}/api/stacks", token) if one["Name"] == name)
    url = f"{server['url']}/api/stacks/{stack['Id']}"
    kept = [pair for pair in stack["Env"] if pair["name"] not in env]
    pairs = [*kept, *({"name": key, "value": value} for key, value in env.items())]
    body = {"StackFileContent": call("GET", f"{url}/file", token)["StackFileContent"], "Env": pairs}
    call("PUT", f"{url}?endpointId={stack['EndpointId']}", token, json=body)


def call(method: str, url: str, token: str = "", **body: Any) -> Any:
    """A call of Portainer's, in a session of its own: with the cookie of a login, a change needs a CSRF token."""
    with requests.Session() as session:
        session.verify, session.trust_env = False, False
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = session.request(method, url, headers=headers, timeout=90, **body)
    answer.raise_for_status()
    return answer.json()


def other_image(world: World, project: str, service: str) -> None:
    """A container of a stack made again from another image, as somebody with docker on the host could."""
    ours = f"label=com.docker.compose.project={project}"
    labels = {"project": project, "service": service, "oneoff": "False", "container-number": "1", "config-hash": "x"}
    flags = " ".join(f"--label com.docker.compose.{key}={value}" for key, value in labels.items())
    world.must(
        APPS,
        f"id=$(docker ps -q --filter {ours} --filter label=com.docker.compose.service={service}) && "
        f"docker rm -f $id && docker run -d --name {project}-{service}-1 {flags} "
        "registry.lab.internal:5000/lab/probe:1",
    )


def test_up_with_refresh_repairs_it_and_applies_the_settings(world: World) -> None:
    up = world.checkout.make("up", stack=STACK, args="--refresh")
    assert up.code == 0, up.why
    done, report = world.report()
    assert (done.code, report["verdict"], report["pending"]) == (0, "clean", []), done.text


def test_another_host_key_is_unknown_and_loud_and_hides_no_drift_of_the_others(world: World) -> None:
    key = "/etc/ssh/ssh_host_ed25519_key"
    world.must(PLAIN, f"mv {key} {key}.pub /root/; ssh-keygen -q -t ed25519 -N '' -f {key}; systemctl reload sshd")
    with untouched(world):
        done, report = world.report()
    unread = [one for one in report["resources"] if one["status"] == "unknown"]
    assert (done.code, report["verdict"]) == (3, "unknown"), done.text
    assert unread and all(one["host"] == PLAIN for one in unread)
    assert all("its host key is not the pinned one" in one["reason"] for one in unread), unread
    world.must(APPS, "sysctl -qw net.ipv4.tcp_fin_timeout=61")
    made = world.checkout.make("drift", stack=STACK)
    report = json.loads(world.kept.read_text())
    assert (made.code, set(drifted(report)), report["unknown"]) == (2, {f"{APPS}-sysctl"}, len(unread)), made.text


def test_a_host_and_an_api_that_do_not_answer_are_unknown_and_the_others_are_read(world: World) -> None:
    api, plain = world.checkout.api(), world.vm(PLAIN)
    api.wait(plain.split("/")[2], str(api.post(f"{plain}/status/stop")))
    done, report = world.report()
    assert done.code == 2
    assert drifted(report)[f"{PLAIN}-vm"] == {"started": False}
    assert report["unknown"] >= 4
    with world.checkout.fault(path=r"/(qemu|cluster)\b", times=10000, drop=True):
        done, report = world.report()
    assert (done.code, set(drifted(report))) == (2, {f"{APPS}-sysctl"}), done.text
    unread = {one["urn"].rpartition("::")[2] for one in report["resources"] if one["status"] == "unknown"}
    assert {f"{APPS}-vm", f"{PLAIN}-vm", f"{PLAIN}-host"} <= unread
    assert "could not be read" in report["unplanned"]


def test_the_stack_goes(world: World) -> None:
    down = world.checkout.make("down", stack=STACK)
    assert down.code == 0, down.why
