"""The life of a stack after its first `up`: stopped, told to follow git, changed without a pause, renamed, moved."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

import pytest
import requests
import yaml

from provisioning.git import Repository
from setup.exports import read_exports
from tests.lab.checkout import NET, SITE, Checkout

pytestmark = [pytest.mark.lab, pytest.mark.soak]  # in order: each test goes on where the one before ended
STACK, HOSTS = "life", {"vm-life-a": f"{NET}.0.51", "vm-life-b": f"{NET}.0.52"}
FIRST, SECOND = HOSTS
PROBE = "registry.lab.internal:5000/lab/probe:1"
SOURCES = [f"{NET}.0.0/24"]
GIT, REF = "https://git.lab.internal:3443/hypercompose/deployments.git", "refs/heads/theirs/life"
BOOK: dict[str, Any] = {"project": "guestbook", "host": FIRST, "ports": {"web": 8080}, "sources": SOURCES}
FOLLOWS: dict[str, Any] = {"git": {"url": GIT, "ref": REF}, "host": FIRST, "poll": "1h", "rollout": "direct"}
FOLLOWS["env"] = {"WORD": "one"}
TEXT = {"services": {"a": {"image": PROBE, "volumes": ["kept:/kept"]}}, "volumes": {"kept": {"external": True}}}


class Life:
    """The stack, driven as a person would, and its hosts from inside."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.stacks: dict[str, Any] = {"book": dict(BOOK), "follows": dict(FOLLOWS)}

    def up(self, args: str = "") -> str:
        """`make up` with the stacks as they are now; it has to work."""
        self.write()
        done = self.checkout.make("up", stack=STACK, args=args)
        assert done.code == 0, done.why
        return done.text

    def refused(self) -> str:
        """What a preview says that must not work."""
        self.write()
        done = self.checkout.pulumi("preview", stack=STACK)
        assert done.code != 0
        return done.why

    def write(self) -> None:
        """The settings file."""
        networks = {name: [{"bridge": "vmbr0", "address": f"{address}/24"}] for name, address in HOSTS.items()}
        vms = [
            {"name": name, "first_id": 1500 + 10 * at, "memory_mib": 2048, "networks": networks[name]}
            for at, name in enumerate(HOSTS)
        ]
        keys = {
            "site": SITE, "vms": vms, "baseline": {"packages": ["ca-certificates"], "firewall": {}}, "docker": {},
            "portainer": {"sources": SOURCES}, "stacks": self.stacks,
        }  # fmt: skip
        self.checkout.write_settings(STACK, **keys)

    def must(self, script: str, host: str = FIRST) -> str:
        """What a script of root's printed that has to work."""
        found = self.checkout.hosts(STACK)[host]
        done = self.checkout.ssh(found, f"sudo bash -c {shlex.quote(script)}")
        assert done.code == 0, f"{script}\n{done.text}"
        return done.text

    def ids(self, project: str, host: str = FIRST) -> dict[str, str]:
        """Container by service."""
        form = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        said = self.must(f"docker ps --filter label=com.docker.compose.project={project} --format '{form}'", host)
        return dict(line.split() for line in said.splitlines())

    def volumes(self, host: str = FIRST) -> set[str]:
        return set(self.must("docker volume ls -q", host).split())

    def push(self, text: dict[str, Any]) -> None:
        """As somebody who owns the ref that a stack follows."""
        exports = read_exports(self.checkout.folder / ".lab" / "credentials.env")
        ca = str(self.checkout.folder / ".lab/tls/ca.crt")
        repository = Repository(url=GIT, ca=ca, user="lab", password=exports["HYPERCOMPOSE_GIT_PASSWORD"])
        with pytest.MonkeyPatch.context() as patch:
            for name, value in exports.items():
                if name.startswith("GIT_CONFIG_"):  # where the lab's git server is
                    patch.setenv(name, value)
            repository.publish(REF, {"compose.yaml": yaml.safe_dump(text)}, "theirs")

    def webhook(self, name: str) -> str:
        """Of the outputs, where it is a secret."""
        shown = self.checkout.pulumi("stack", "output", "webhooks", "--json", "--show-secrets", stack=STACK).text
        url = str(json.loads(shown[shown.index("{") :])[name])
        assert url not in self.checkout.pulumi("stack", "output", "--json", stack=STACK).text
        return url


@pytest.fixture(scope="module")
def life(checkout: Checkout) -> Life:
    return Life(checkout)


def theirs(word: str = "${WORD}") -> dict[str, Any]:
    services = {name: {"image": PROBE, "environment": {"WORD": word}} for name in ("one", "two")}
    services["two"]["environment"] = {"OTHER": "x"}
    return {"services": services}


def knock(url: str) -> int:
    return requests.post(url, verify=False, timeout=10).status_code  # noqa: S501  the lab's own host


def test_a_push_and_the_webhook_of_the_outputs_roll_out_what_others_wrote(life: Life) -> None:
    life.push(theirs())
    life.up()
    url, before = life.webhook("follows"), life.ids("follows")
    life.push(theirs("pushed"))
    assert knock(url) == 204
    limit = time.monotonic() + 20
    while life.ids("follows").get("one") in (None, before["one"]) and time.monotonic() < limit:
        time.sleep(0.5)
    after = life.ids("follows")
    assert {name for name in after if after[name] != before[name]} == {"one"}
    life.stacks["follows"]["webhook_generation"] = 2
    life.up()
    assert life.webhook("follows") != url and knock(url) == 404
    assert life.ids("follows") == after
    assert life.checkout.preview(stack=STACK) == {}


def test_another_environment_replaces_only_the_containers_that_it_concerns(life: Life) -> None:
    before = life.ids("book")
    life.stacks["book"]["env"] = {"GUESTBOOK_LOG_LEVEL": "debug"}
    life.up()
    after = life.ids("book")
    # the page depends on the API, so compose makes it again as well
    assert {name for name in after if after[name] != before[name]} == {"api", "web"}
    assert life.checkout.preview("--refresh", stack=STACK) == {}


def test_a_stopped_stack_stays_stopped_and_starts_with_what_changed_meanwhile(life: Life) -> None:
    life.stacks["book"]["run"] = "stopped"
    life.up()
    assert life.ids("book") == {} and "book_data" in life.volumes()
    life.stacks["book"]["env"] = {"GUESTBOOK_LOG_LEVEL": "info"}
    life.up()
    assert life.ids("book") == {}
    assert life.checkout.preview("--refresh", stack=STACK) == {}
    del life.stacks["book"]["run"]
    life.up()
    assert set(life.ids("book")) == {"web", "api", "db"}


def test_a_rename_or_a_move_is_refused_with_its_procedure_and_takes_the_volumes_along_when_told(life: Life) -> None:
    life.must("echo ours >$(docker volume inspect -f '{{.Mountpoint}}' book_data)/mark")
    life.stacks["book"]["host"] = SECOND
    assert "begin with empty volumes (book_data); say `moved_from: {host: vm-life-a" in life.refused()
    del life.stacks["book"]
    life.stacks["diary"] = {**BOOK, "host": SECOND, "moved_from": {"stack": "book", "host": FIRST, "volumes": "copy"}}
    life.up()
    assert life.ids("book") == {} and set(life.ids("diary", SECOND)) == {"web", "api", "db"}
    assert life.must("cat $(docker volume inspect -f '{{.Mountpoint}}' diary_data)/mark", SECOND) == "ours\n"
    assert life.must("ls /var/lib/hypercompose/moving 2>/dev/null || true") == ""
    assert "book_data" in life.volumes()
    assert "PostgreSQL" in requests.get(f"http://{HOSTS[SECOND]}:8080/", timeout=10).text
    del life.stacks["diary"]["moved_from"]
    life.up()
    assert life.checkout.preview("--refresh", stack=STACK) == {}


def test_a_project_outside_of_portainer_is_adopted_with_its_volumes_and_containers(life: Life) -> None:
    text = yaml.safe_dump({"services": {"a": {"image": PROBE, "volumes": ["vol:/v"]}}, "volumes": {"vol": None}})
    life.must(f"mkdir -p /root/old && cat >/root/old/compose.yaml <<'X'\n{text}\nX")
    life.must("cd /root/old && docker compose -p old up -d 2>&1")
    life.must("echo kept >$(docker volume inspect -f '{{.Mountpoint}}' old_vol)/mark")
    life.push({"services": {"a": {"image": PROBE, "volumes": ["vol:/v"]}}, "volumes": {"vol": None}})
    before = life.ids("old")
    del life.stacks["follows"]
    adopted = {"rollout": "direct", "adopt": True, "keep_volumes": False}
    life.stacks["old"] = {"git": {"url": GIT, "ref": REF}, "host": FIRST, **adopted}
    life.up()
    assert life.must("cat $(docker volume inspect -f '{{.Mountpoint}}' old_vol)/mark") == "kept\n"
    assert life.ids("old") == before


def test_volumes_go_with_their_stack_when_told_and_those_of_others_never(life: Life) -> None:
    life.must("docker volume create kept; docker volume create --label com.docker.compose.project=older older_v")
    life.stacks["text"] = {"inline": yaml.safe_dump(TEXT), "host": FIRST, "keep_volumes": False}
    life.up()
    life.stacks = {}
    life.up()
    assert life.volumes() >= {"kept", "older_v", "book_data"} and "old_vol" not in life.volumes()
    assert life.checkout.make("down", stack=STACK).code == 0
