"""A host that takes instances, driven by the commands that a person types, and looked at from outside."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import requests

from hosting.database import Database, open_database
from hosting.model import Base
from tests.lab.checkout import NET, Checkout, Done, kill_session

STACK, HOST, ADDRESS = "hosted", "vm-hosted", f"{NET}.0.74"
SOURCES = [f"{NET}.0.0/24"]
ROOM: dict[str, Any] = {"ports": "21000-21199", "sources": SOURCES, "memory_mib": 2048, "networks": 100}
MOMENTS = ("deadline", "warned_for", "expired_for", "destroy_after", "backed_up_at", "retry_at", "lock_until")


def write_stack(checkout: Checkout, room: dict[str, Any] | None = None, **more: Any) -> None:
    """An environment of one VM that takes instances."""
    vm = {
        "name": HOST,
        "first_id": 2200,
        "memory_mib": 4096,
        "networks": [{"bridge": "vmbr0", "address": f"{ADDRESS}/24"}],
    }
    keys: dict[str, Any] = {
        "site": checkout.lab.site,
        "vms": [vm],
        "baseline": {"packages": ["ca-certificates"], "firewall": {}},
        "docker": {},
        "portainer": {"sources": SOURCES},
        "hosting": {HOST: {**ROOM, **(room or {})}},
        **more,
    }
    checkout.write_settings(STACK, **keys)


@dataclass(frozen=True)
class Hosted:
    """The commands of hosting, and the host behind them."""

    checkout: Checkout
    stack: str = STACK
    host: str = HOST

    def make(self, target: str, args: str = "", **variables: str) -> Done:
        """`make TARGET NAME=… PRODUCT=…`, each value by the environment, where no shell takes it apart."""
        told = replace(self.checkout, variables={**self.checkout.variables, **variables})
        return told.make(target, stack=self.stack, args=args)

    def must(self, target: str, args: str = "", **variables: str) -> str:
        """What a command printed that has to work."""
        done = self.make(target, args, **variables)
        assert done.code == 0, f"{target} {variables}\n{done.text[-3000:]}"
        return done.text

    def listed(self) -> dict[str, dict[str, Any]]:
        """Instances by name."""
        said = self.must("instances", "--json")
        found = json.loads(said[said.index("[") :])
        return {each["name"]: each for each in found}

    def secrets(self, name: str) -> dict[str, str]:
        """Passwords that were made up for it."""
        said = self.must("instance-secrets", NAME=name)
        found: dict[str, str] = json.loads(said[said.index("{") :])
        return found

    def on_host(self, script: str) -> str:
        """What a script of root's printed on the host."""
        done = self.checkout.ssh(self.checkout.hosts(self.stack)[self.host], f"sudo bash -c {shlex.quote(script)}")
        assert done.code == 0, f"{script}\n{done.text}"
        return done.text

    def left_of(self, name: str) -> str:
        """Everything on the host that has to do with an instance."""
        label = f"--filter label=com.docker.compose.project=i-{name}"
        return self.on_host(
            f"docker ps -aq {label}; docker network ls -q {label}; docker volume ls -q {label}; "
            f"ls -d /etc/hypercompose/stacks/i-{name} 2>/dev/null || true"
        )

    def database(self) -> Database:
        """The rows themselves."""
        return open_database(f"sqlite:///{self.checkout.folder}/.lab/hosting.db")

    def later(self, by: timedelta) -> None:
        """As if so much time had passed: every moment in the rows moves into the past."""
        database = self.database()
        with database.write() as session:
            for mapper in Base.registry.mappers:
                for row in session.query(mapper.class_):
                    for name in (*MOMENTS, "quarantined_until", "at"):
                        if getattr(row, name, None) is not None:
                            setattr(row, name, getattr(row, name) - by)
        database.close()

    def kill_new_when(self, moment: str, **variables: str) -> None:
        """Start `make instance-new`; kill -9 all of it as soon as it has printed something."""
        told = replace(self.checkout, variables={**self.checkout.variables, **variables})
        said = told.kill_when("instance-new", lambda text: moment in text, stack=self.stack)
        assert moment in said, f"it ended without {moment!r}: {said}"
        self._kill_children()

    def _kill_children(self) -> None:
        """The engine's own process is in a session of its own; a dead parent alone does not end it."""
        folder = str(self.checkout.folder)
        found = subprocess.run(["pgrep", "-f", "hosting[.]child"], capture_output=True, text=True, check=False)
        for pid in map(int, found.stdout.split()):
            if os.path.realpath(f"/proc/{pid}/cwd") == os.path.realpath(folder):
                kill_session(os.getsid(pid))


@dataclass(frozen=True)
class Odoo:
    """Odoo as its users reach it."""

    url: str
    password: str

    def _proxy(self, service: str) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy(f"{self.url}/xmlrpc/2/{service}", allow_none=True)

    def call(self, model: str, method: str, *arguments: Any) -> Any:
        """Its own RPC, as the administrator."""
        user = self._proxy("common").authenticate("odoo", "admin", self.password, {})
        assert user, "the administrator cannot log in"
        return self._proxy("object").execute_kw("odoo", user, self.password, model, method, list(arguments))

    def create_partner(self, name: str) -> int:
        """A record of its own database."""
        number: int = self.call("res.partner", "create", {"name": name})
        return number

    def partner(self, number: int) -> str:
        """The record's name."""
        found: list[dict[str, Any]] = self.call("res.partner", "read", [number], ["name"])
        return str(found[0]["name"])


def answers(url: str, seconds: float = 0) -> bool:
    """Whether a page answers 200, within some time."""
    limit = time.monotonic() + seconds
    while True:
        try:
            if requests.get(url, timeout=5).status_code == 200:
                return True
        except requests.RequestException:
            pass
        if time.monotonic() >= limit:
            return False
        time.sleep(0.2)


def at_once(hosted: Hosted, orders: Sequence[dict[str, str]], args: str = "") -> list[Done]:
    """Several `make instance-new` at the same moment, each a process of its own."""
    line = ["make", "-s", "instance-new", f"STACK={hosted.stack}", f"SITE={hosted.checkout.lab.site}", f"ARGS={args}"]
    running = [
        subprocess.Popen(
            line,
            cwd=hosted.checkout.folder,
            env={**os.environ, **hosted.checkout.variables, **order},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        for order in orders
    ]
    try:
        return [Done(process.wait(), said) for process in running for said in [process.communicate(timeout=600)[0]]]
    finally:
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
