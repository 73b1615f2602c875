"""Portainer's server runs on a host: its administrator made before its port answers, TLS by a key of the host's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import Facts
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.portainer.secret_files import fingerprint
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word, hostile_lines, number_problems

ADDRESS = Word(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?", "an address or host name")
PINNED = Word(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}", "an image with its registry and digest")
LABEL = Word(r"[a-z][a-z0-9.-]*", "a label such as hypercompose.env")
SHORTEST_PASSWORD = 12
ADMIN_FILE = "administrator's file"


class PortainerServer(Kind):
    """`image` by digest, `address` and `port` it listens on, `authorities` (PEM), `labels`, `password` (a secret).

    Gives `certificate`, which clients pin, and `data`: which data volume it has, empty where it was lost.
    """

    name: ClassVar[str] = "PortainerServer"
    replace_on: ClassVar[frozenset[str]] = frozenset({"address"})
    stable: ClassVar[frozenset[str]] = frozenset({"certificate", "data"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A pinned image, a place to listen, a password that Portainer takes."""
        yield from PINNED.problems("image", args["image"])
        yield from ADDRESS.problems("address", args["address"])
        yield from number_problems("port", args["port"], 1, 65535)
        yield from LABEL.problems("labels", *(args.get("labels") or {}))
        yield from hostile_lines("labels", map(str, (args.get("labels") or {}).values()))
        password = str(args.get("password") or "")
        if len(password) < SHORTEST_PASSWORD or any(hostile_lines("password", [password])):
            yield Problem(
                property="password",
                reason=f"shorter than {SHORTEST_PASSWORD} characters, or with a line end; set "
                "`pulumi config set --secret hypercompose:portainer_password`",
            )

    def step(self, name: str, args: Arguments) -> Step:
        """One container; another image keeps the volume with its data."""
        labels = {key: str(value) for key, value in (args.get("labels") or {}).items()}
        values: dict[str, Any] = {
            "image": str(args["image"]),
            "address": str(args["address"]),
            "bind": _bind(str(args["address"])),
            "port": int(args["port"]),
            "authorities": str(args.get("authorities") or ""),
            "labels": labels,
        }
        script = shell("portainer/server.sh")
        values["spec"] = hashlib.sha256(f"{json.dumps(values, sort_keys=True)}\n{script}".encode()).hexdigest()[:16]
        password = str(args["password"])
        print_ = fingerprint("portainer", {"admin": password})
        wanted = {
            "image": values["image"],
            "container": "running",
            "spec": values["spec"],
            "authority file": "as written",
            ADMIN_FILE: print_,
        }
        return Step(
            name=name,
            script=script,
            values=values,
            secrets={"password": password, "fingerprint": print_},
            wanted=wanted,
            timeout_s=600,
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """Of the arguments only the image can be told from outside; everything else is told by `state`."""
        wanted = self.step("read", args).wanted
        now = super().read(args, {**found, ADMIN_FILE: wanted[ADMIN_FILE]})
        if found.get(ADMIN_FILE) != wanted[ADMIN_FILE]:
            now["state"] = f"{ADMIN_FILE}: other contents than ours"
        if found.get("spec") != wanted["spec"] and found.get("container") != "absent":
            now["state"] = "its container was made otherwise"
        return now

    def outputs(self, found: Facts) -> dict[str, Any]:
        """Certificate, data volume."""
        notes = found.get("#", {})
        return {name: str(notes.get(name, "")) for name in ("certificate", "data")}


def _bind(address: str) -> str:
    """Where Docker publishes the port: an address itself; behind a name, all of the host's addresses."""
    try:
        return str(ip_address(address))
    except ValueError:
        return ""
