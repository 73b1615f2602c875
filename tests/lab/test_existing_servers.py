"""Servers that are there already: nothing of anybody else's is touched, everything of ours is taken back."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from setup.exports import read_exports
from tests.lab.checkout import NET, SITE, Checkout

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
STACK = "servers"
FINGERPRINT = (Path(__file__).parent / "fingerprint.sh").read_text()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB alice"
BASELINE: dict[str, Any] = {
    "packages": ["tree", "jq"],
    "set_hostname": True,
    "timezone": "Europe/Paris",
    "time": {"servers": [f"{NET}.0.1"]},
    "groups": {"deploy": {}},
    "users": {"alice": {"groups": ["deploy"], "keys": [KEY]}},
    "sudo": {"deploy": ["%deploy ALL=(ALL) NOPASSWD: /usr/bin/systemctl"]},
    "ssh": {},
    "sysctl": {"net.ipv4.tcp_fin_timeout": 45},
    "journald": {"max_use_mib": 256},
    "updates": {"policy": "security", "reboot": "window", "window": "03:30"},
    "firewall": {"closed": False, "open": {"web": {"ports": ["443/tcp"]}}},
}
DOCKER = {"users": ["alice"], "published": {"web": {"ports": ["8080/tcp"], "sources": [f"{NET}.0.1/32"]}}}
CANARY = "canary-7f3a"
COMMAND = {
    "name": "note",
    "create": f"echo created-{CANARY} >> /tmp/note",
    "update": "echo updated >> /tmp/note",
    "delete": "sudo rm -f /tmp/note",
    "triggers": ["1"],
}


class Server:
    """A server in the lab, and a stack of its own."""

    def __init__(self, checkout: Checkout, name: str, *, docker: bool = False) -> None:
        made = checkout.make("lab-server", args=f"--name {name}{' --docker' if docker else ''}")
        assert made.code == 0, made.why
        found = dict(re.findall(r"^(name|address|user|host_key): (.+)$", made.text, re.M))
        self.checkout, self.host = checkout, {**found, "port": 22}

    def must(self, script: str) -> str:
        """What a script printed that has to work, as root."""
        done = self.checkout.ssh(self.host, f"sudo bash -c {_quoted(script)}")
        assert done.code == 0, f"{script}\n{done.text}"
        return done.text

    def fingerprint(self) -> list[str]:
        return self.must(FINGERPRINT).splitlines()

    def logins(self) -> int:
        """SSH connections that were let in so far."""
        return int(self.must("journalctl -u ssh -o cat | grep -c 'Accepted publickey' || true"))


def _quoted(script: str) -> str:
    return shlex.quote(script)


def write_stack(checkout: Checkout, servers: list[Server], **config: Any) -> None:
    hosts = [{key: server.host[key] for key in ("name", "address", "host_key")} for server in servers]
    keys = {"site": SITE, "hosts": hosts, **config}
    checkout.write_settings(STACK, **keys)


@pytest.fixture(scope="module")
def server(checkout: Checkout) -> Server:
    return Server(checkout, "srv-existing", docker=True)


@pytest.fixture(scope="module")
def before(server: Server) -> list[str]:
    return server.fingerprint()


def test_a_server_with_docker_and_somebodys_container_gets_everything(
    checkout: Checkout, server: Server, before: list[str]
) -> None:
    write_stack(checkout, [server], baseline=BASELINE, docker=DOCKER)
    (checkout.folder / ".lab" / "before").write_text("\n".join(before))
    logins = server.logins()
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert server.logins() - logins == 2, "one connection for all steps, and this question's own"
    assert "srv-existing-docker-proof created" in up.text


def test_the_second_time_nothing_changes_and_nobody_connects(checkout: Checkout, server: Server) -> None:
    logins = server.logins()
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert re.search(r"Resources:\n +\d+ unchanged\n", up.text), up.text
    assert server.logins() - logins == 1
    assert checkout.preview("--refresh", stack=STACK) == {}
    assert server.logins() - logins == 3, "the drift of a host takes one connection"


def test_what_others_put_there_is_as_it_was(checkout: Checkout, server: Server, before: list[str]) -> None:
    now = set(server.fingerprint())
    theirs = [line for line in before if "carol" in line or line.startswith(("firewalld", "container"))]
    assert len(theirs) > 20
    assert [line for line in theirs if line not in now] == []
    for port in (9998, 9999):
        assert requests.get(f"http://{server.host['address']}:{port}/", timeout=5).ok


def test_a_command_of_ones_own_runs_once_and_again_when_its_trigger_changes(checkout: Checkout, server: Server) -> None:
    for trigger in ("1", "1", "2"):
        own = {**COMMAND, "triggers": [trigger]}
        write_stack(checkout, [server], baseline={**BASELINE}, docker=DOCKER)
        content = yaml.safe_load((checkout.folder / f"Pulumi.{STACK}.yaml").read_text())
        content["config"]["hypercompose:hosts"][0]["commands"] = [own]
        (checkout.folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(content))
        up = checkout.make("up", stack=STACK)
        assert up.code == 0, up.why
        assert CANARY not in up.text
    # a changed trigger replaces the command: its delete runs, then its create
    assert server.must("cat /tmp/note").split() == [f"created-{CANARY}"]


def test_drift_is_told_in_the_things_own_words_and_healed(checkout: Checkout, server: Server) -> None:
    server.must("userdel -r alice 2>/dev/null; sed -i s/10m/99m/ /etc/docker/daemon.json")
    server.must("firewall-cmd -q --policy=hypercompose --remove-port=443/tcp; systemctl stop docker.socket docker")
    server.must("sysctl -qw net.ipv4.tcp_fin_timeout=60; apt-get -q -y remove tree >/dev/null")
    told = checkout.pulumi("preview", "--refresh", "--diff", stack=STACK).text
    for line in (
        '"account: absent (wanted present)" => "as wanted"',
        '~ max-size: "99m" => "10m"',
        '"open ports: none (wanted 443/tcp)" => "as wanted"',
        "~ running: false => true",
        '~ net.ipv4.tcp_fin_timeout: "60" => "45"',
        '"tree"',
    ):
        assert line in told, f"{line}\n{told}"
    assert checkout.make("refresh", stack=STACK).code == 0
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert checkout.preview("--refresh", stack=STACK) == {}


def test_no_secret_is_in_state_previews_or_commands(checkout: Checkout) -> None:
    password = read_exports(checkout.folder / ".lab" / "credentials.env")["HYPERCOMPOSE_REGISTRY_PASSWORD"]
    for file in (checkout.folder / ".lab" / "state").rglob("*"):
        assert not file.is_file() or password not in file.read_text(errors="replace"), file
    shown = checkout.make("commands", stack=STACK).text
    assert "# ── srv-existing-registry-login (RegistryLogin)" in shown
    assert "password='***'" in shown
    assert password not in shown
    assert password not in checkout.pulumi("preview", "--json", "--refresh", stack=STACK).text


def test_destroyed_the_server_is_there_and_everything_is_as_before_us(
    checkout: Checkout, server: Server, before: list[str]
) -> None:
    down = checkout.pulumi("destroy", "--yes", "--skip-preview", stack=STACK)
    assert down.code == 0, down.why
    after = server.fingerprint()
    assert [line for line in before if line not in set(after)] == []
    assert [line for line in after if line not in set(before)] == []


def test_another_stack_is_refused_a_host_that_is_managed(checkout: Checkout, server: Server) -> None:
    server.must("mkdir -p /var/lib/hypercompose; printf lab/other/x > /var/lib/hypercompose/owner")
    write_stack(checkout, [server], baseline={"timezone": "Europe/Paris"})
    refused = checkout.make("up", stack=STACK)
    assert refused.code != 0
    assert "this host is managed by lab/other/x; destroy it there first" in refused.text
    server.must("rm -r /var/lib/hypercompose")
    assert "Etc/UTC" in server.must("timedatectl show -p Timezone --value")
    assert checkout.pulumi("destroy", "--yes", "--skip-preview", stack=STACK).code == 0


STEPS = [
    "host",
    "packages",
    "hostname",
    "timezone",
    "time",
    "sysctl",
    "journald",
    "updates",
    "group-deploy",
    "user-alice",
    "sudo-deploy",
    "ssh",
    "firewall",
    "docker-repository",
    "docker-daemon",
    "docker-firewall",
    "docker-packages",
    "docker-service",
    "docker-users",
    "registry-trust",
    "registry-login",
    "docker-proof",
]


def killed_at(checkout: Checkout, server: Server, before: list[str], step: str) -> None:
    """`make up` is killed while it makes a step; the next one reaches the end, and everything can be taken back."""
    write_stack(checkout, [server], baseline=BASELINE, docker=DOCKER)
    said = checkout.kill_up_when(lambda text: f"srv-existing-{step} creating" in text, stack=STACK)
    assert f"srv-existing-{step} creating" in said
    assert "Duration" not in said, "it had ended before it was killed"
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert checkout.preview("--refresh", stack=STACK) == {}
    assert checkout.pulumi("destroy", "--yes", "--skip-preview", stack=STACK).code == 0
    after = set(server.fingerprint())
    assert [line for line in before if line not in after] == []


def test_killed_while_a_step_runs_the_next_run_reaches_the_same_end(
    checkout: Checkout, server: Server, before: list[str]
) -> None:
    killed_at(checkout, server, before, "docker-packages")


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_step_the_next_run_reaches_the_same_end(
    checkout: Checkout, server: Server, before: list[str], step: str
) -> None:
    killed_at(checkout, server, before, step)


def several(checkout: Checkout, count: int) -> list[Server]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda number: Server(checkout, f"srv-{number}"), range(count)))


def many_hosts_at_once(checkout: Checkout, count: int) -> None:
    """Connections are as many as hosts, whatever is done to them."""
    servers = several(checkout, count)
    write_stack(checkout, servers, baseline={**BASELINE, "packages": ["tree"], "updates": None})
    with ThreadPoolExecutor(4) as pool:
        logins = list(pool.map(Server.logins, servers))
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    drift = checkout.pulumi("preview", "--refresh", "--expect-no-changes", stack=STACK)
    assert drift.code == 0, drift.why
    assert "nothing is known of it" not in drift.text
    with ThreadPoolExecutor(4) as pool:
        after = list(pool.map(Server.logins, servers))
    # one for `up`, one for the drift, one for this question; a line can be lost while the journal restarts
    taken = [now - then for now, then in zip(after, logins, strict=True)]
    assert max(taken) == 3
    assert sum(taken) > 2 * count
    assert checkout.pulumi("destroy", "--yes", "--skip-preview", stack=STACK).code == 0


@pytest.mark.soak
def test_several_hosts_at_once_take_one_connection_each(checkout: Checkout) -> None:
    many_hosts_at_once(checkout, 4)


@pytest.mark.soak
def test_twenty_hosts_at_once_take_one_connection_each(checkout: Checkout) -> None:
    many_hosts_at_once(checkout, 20)
