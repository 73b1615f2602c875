"""The router runs on a host: Nginx in a container in the host's own network, from where it reaches published ports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import Facts
from provisioning.steps.hosting.route_file import DOMAIN
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.portainer.secret_files import fingerprint
from provisioning.steps.portainer.server import LABEL, PINNED
from provisioning.steps.step import Step, shell
from provisioning.steps.words import hostile_lines, number_problems

KEY_FILE = "key file"
PEM = "-----BEGIN CERTIFICATE-----"


class Router(Kind):
    """`image` by digest, `domain`, `port`, `http_port` (0: none), `certificate` (PEM), `key` (a secret), `labels`.

    Routes of others are files in a folder of the host, which it reads and leaves alone.
    """

    name: ClassVar[str] = "Router"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A pinned image, a domain, two ports, a certificate."""
        yield from PINNED.problems("image", args["image"])
        yield from DOMAIN.problems("domain", args["domain"])
        yield from number_problems("port", args["port"], 1, 65535)
        yield from number_problems("http_port", args.get("http_port", 0), 0, 65535)
        if args["port"] == args.get("http_port", 0):
            yield Problem(property="http_port", reason=f"{args['port']}, expected another one than port; or 0 for none")
        yield from LABEL.problems("labels", *(args.get("labels") or {}))
        yield from hostile_lines("labels", map(str, (args.get("labels") or {}).values()))
        if PEM not in str(args["certificate"]):
            yield Problem(property="certificate", reason=f"expected text that begins with {PEM}")

    def step(self, name: str, args: Arguments) -> Step:
        """One container. Another certificate is read by the one that runs; anything else is another container."""
        script, http_port = shell("hosting/router.sh"), int(args.get("http_port") or 0)
        values: dict[str, Any] = {
            "image": str(args["image"]),
            "domain": str(args["domain"]),
            "port": int(args["port"]),
            "http_port": str(http_port or ""),
            "labels": {key: str(value) for key, value in (args.get("labels") or {}).items()},
        }
        values["spec"] = hashlib.sha256(f"{json.dumps(values, sort_keys=True)}\n{script}".encode()).hexdigest()[:16]
        print_ = fingerprint("router", {"key": str(args["key"])})
        wanted = {
            "container": "running",
            "image": values["image"],
            "spec": values["spec"],
            "certificate file": "as written",
            KEY_FILE: print_,
            "routes": "a folder",
        }
        return Step(
            name=name,
            script=script,
            values={**values, "certificate": str(args["certificate"])},
            secrets={"key": str(args["key"]), "fingerprint": print_},
            wanted=wanted,
            timeout_s=300,
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """Of the key only whether it is ours; how the container was made is one word."""
        wanted = self.step("read", args).wanted
        now = super().read(args, {**found, KEY_FILE: wanted[KEY_FILE], "spec": wanted["spec"]})
        said = [] if now["state"] == AS_WANTED else [now["state"]]
        if found.get(KEY_FILE) != wanted[KEY_FILE]:
            said.append(f"{KEY_FILE}: other contents than ours")
        if found.get("spec") != wanted["spec"] and found.get("container") != "absent":
            said.append("its container was made otherwise")
        return {**now, "state": "; ".join(said) or AS_WANTED}
