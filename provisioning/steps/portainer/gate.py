"""The gate runs on a host: a program of ours as a systemd service, with TLS by a key of the host's own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.gate_program import program
from provisioning.steps.facts import Facts
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.portainer.server import ADDRESS
from provisioning.steps.step import Step, shell
from provisioning.steps.words import number_problems

READER = "portainer"
UNIT = """[Unit]
Description=Between git and Portainer: releases only what is well
After=network-online.target docker.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/sbin/hypercompose-gate serve
Restart=always
RestartSec=1
TimeoutStopSec=25
UMask=0077
NoNewPrivileges=yes
MemoryMax=512M

[Install]
WantedBy=multi-user.target
"""


class ReleaseGate(Kind):
    """`address` and `port` it listens on, `password` by which releases are read (a secret).

    Gives `certificate`, which Portainer is to trust.
    """

    name: ClassVar[str] = "ReleaseGate"
    replace_on: ClassVar[frozenset[str]] = frozenset({"address"})
    stable: ClassVar[frozenset[str]] = frozenset({"certificate"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A place to listen."""
        yield from ADDRESS.problems("address", args["address"])
        yield from number_problems("port", args["port"], 1, 65535)

    def step(self, name: str, args: Arguments) -> Step:
        """Program, settings, unit."""
        bind, password = _bind(str(args["address"])), str(args["password"])
        server = {"address": bind, "port": int(args["port"]), "user": READER, "password": password}
        settings, code = json.dumps(server), program()
        return Step(
            name=name,
            script="\n".join((shell("portainer/certificate.sh"), shell("portainer/gate.sh"))),
            values={"address": str(args["address"]), "bind": bind, "port": int(args["port"]), "unit_text": UNIT},
            secrets={"settings_text": settings, "program_text": base64.b64encode(code).decode()},
            wanted={
                "service": "enabled active",
                "program": hashlib.sha256(code).hexdigest(),
                "settings": hashlib.sha256(settings.encode()).hexdigest(),
                "unit": "as written",
            },
            timeout_s=600,
        )

    def outputs(self, found: Facts) -> dict[str, Any]:
        """The certificate."""
        return {"certificate": str(found.get("#", {}).get("certificate", ""))}


def _bind(address: str) -> str:
    """An address itself; behind a name, everywhere."""
    try:
        return str(ip_address(address))
    except ValueError:
        return ""
