"""A host whose gate follows a branch, as those who push see it: commits, pages, and how long nothing answered."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import yaml

from provisioning.git import Repository
from setup.exports import read_exports
from tests.lab.checkout import NET, Checkout

STACK, HOST, ADDRESS = "gitops", "vm-gitops", f"{NET}.0.61"
SOURCES = [f"{NET}.0.0/24"]
REGISTRY = "registry.lab.internal:5000"
PROBE, NGINX = f"{REGISTRY}/lab/probe:1", f"{REGISTRY}/lab/nginx:1"
URL = "https://git.lab.internal:3443/hypercompose/deployments.git"
INTERVAL_S = 2


def serving(version: str) -> list[str]:
    """The command of a container whose page is its version, and that ends when it is told to, as a server should:
    it takes no new connection, and answers those it has."""
    serve = f"mkdir -p /tmp/www; echo {version} >/tmp/www/index.html; trap 'kill $!; sleep 0.3; exit 0' TERM"
    return ["sh", "-c", f"{serve}; httpd -f -p 8080 -h /tmp/www & wait"]


def web(version: str, **changes: Any) -> dict[str, Any]:
    """A compose file whose page is its version; `changes` are of its only service."""
    service = {
        "image": PROBE,
        "command": serving(version),
        "restart": "unless-stopped",
        "stop_grace_period": "1s",
        "ports": ["8181:8080"],
        "healthcheck": {"test": ["CMD", "wget", "-qO-", "http://127.0.0.1:8080/"], "interval": "1s", "retries": 2},
    }
    return {"services": {"web": {**service, **changes}}}


@dataclass
class Branch:
    """A branch that people push to."""

    repository: Repository
    ref: str

    def push(self, content: Mapping[str, Any] | str | bytes, path: str = "compose.yaml", **others: str) -> str:
        """Replace all files; the commit."""
        text = content if isinstance(content, str) else yaml.safe_dump(dict(content), sort_keys=False)  # type: ignore[arg-type]
        return self.repository.publish(self.ref, {path: text, **others}, "somebody's change")

    def force(self, commit: str) -> None:
        """Set it to a commit, as a forced push does."""
        self.repository.move(self.ref, commit)

    def delete(self) -> None:
        self.repository.remove(self.ref)


@dataclass
class Load:
    """Asks a page again and again, from outside."""

    url: str
    expected: Callable[[str], bool]
    pause_s: float = 0.05
    asked: int = 0
    failed: int = 0
    longest_s: float = 0.0
    """For how long in a row nothing good came."""
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        since = time.monotonic()
        while not self._over.is_set():
            good = False
            with suppress(requests.RequestException):
                good = self.expected(requests.get(self.url, timeout=2).text)
            now = time.monotonic()
            self.asked += 1
            self.failed += not good
            self.longest_s = max(self.longest_s, now - since)
            since = now if good else since
            self._over.wait(self.pause_s)

    @contextmanager
    def going(self) -> Iterator[Load]:
        """While a block runs."""
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()


class Site:
    """The host and its gate."""

    def __init__(self, checkout: Checkout, password: str) -> None:
        self.checkout = checkout
        self.repository = Repository(
            url=URL, ca=str(checkout.folder / ".lab/tls/ca.crt"), user="lab", password=password
        )

    def branch(self, name: str) -> Branch:
        return Branch(self.repository, f"refs/heads/{name}")

    def up(self, stacks: Mapping[str, Any], args: str = "") -> Any:
        """Bring the host up with these stacks."""
        vm = {
            "name": HOST,
            "first_id": 1800,
            "memory_mib": 3072,
            "networks": [{"bridge": "vmbr0", "address": f"{ADDRESS}/24"}],
        }
        keys: dict[str, Any] = {
            "site": self.checkout.lab.site,
            "vms": [vm],
            "baseline": {"packages": ["ca-certificates"], "firewall": {}},
            "docker": {},
            "portainer": {"sources": SOURCES, "gate_sources": SOURCES},
            "stacks": dict(stacks),
        }
        self.checkout.write_settings(STACK, **keys)
        return self.checkout.make("up", stack=STACK, args=args)

    def try_(self, script: str) -> Any:
        """A script of root's on the host."""
        host = getattr(self, "_host", None) or self.checkout.hosts(STACK)[HOST]
        self._host = host
        return self.checkout.ssh(host, f"sudo bash -c {shlex.quote(script)}")

    def must(self, script: str) -> str:
        done = self.try_(script)
        assert done.code == 0, f"{script}\n{done.text}"
        return str(done.text)

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.must(f"hypercompose-gate status {name} --json"))
        return found

    def wait(self, name: str, seconds: float = 90, **wanted: str) -> dict[str, Any]:
        """Its status once it is as wanted."""
        limit = time.monotonic() + seconds
        while True:
            found = self.status(name)
            if all(re.search(text, str(found[key])) for key, text in wanted.items()):
                return found
            assert time.monotonic() < limit, (
                f"{wanted} is not {found}\n{self.must('journalctl -u hypercompose-gate -n 30 -o cat')}"
            )
            time.sleep(0.3)

    def seconds_until(self, page: Callable[[], str], text: str, limit_s: float = 40) -> float:
        """How long a page takes to say it."""
        began = time.monotonic()
        while time.monotonic() - began < limit_s:
            try:
                if text in page():
                    return time.monotonic() - began
            except requests.RequestException:
                pass
            time.sleep(0.1)
        raise AssertionError(f"no {text!r} within {limit_s} s\n{self.must('hypercompose-gate status')}")

    def metrics(self) -> str:
        return requests.get(f"https://{ADDRESS}:9444/metrics", timeout=10, verify=False).text  # noqa: S501

    def webhook(self, name: str) -> str:
        said = self.checkout.pulumi("stack", "output", "webhooks", "--json", "--show-secrets", stack=STACK).text
        return str(json.loads(said[said.index("{") :])[name])


@contextmanager
def site_of(checkout: Checkout) -> Iterator[Site]:
    """While a block runs, this process finds the lab's git server, too."""
    exports = read_exports(checkout.folder / ".lab" / "credentials.env")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in exports.items():
            if name.startswith("GIT_CONFIG_"):  # where the lab's git server is, as this machine asks another DNS
                patch.setenv(name, value)
        yield Site(checkout, exports["HYPERCOMPOSE_GIT_PASSWORD"])


def page(port: int = 8181) -> str:
    return requests.get(f"http://{ADDRESS}:{port}/", timeout=2).text
