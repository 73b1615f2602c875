"""Docker's API at an address of the host, for those whose certificate our authority has signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import Facts
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.portainer.secret_files import fingerprint
from provisioning.steps.step import Step, shell
from provisioning.steps.words import number_problems

KEY_FILE = "key file"


class DockerListener(Kind):
    """`address` and `port`, `authority` and `certificate` (PEM), `key` (a secret).

    Listener and TLS are one drop-in of docker.service: there is no moment at which it listens without.
    """

    name: ClassVar[str] = "DockerListener"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """An address, a port."""
        try:
            ip_address(str(args["address"]))
        except ValueError:
            yield Problem(property="address", reason=f"{args['address']!r}, expected an IP address of the host")
        yield from number_problems("port", args["port"], 1, 65535)

    def step(self, name: str, args: Arguments) -> Step:
        """Files, then the drop-in, checked by dockerd itself before it is restarted."""
        print_ = fingerprint("docker-listener", {"key": str(args["key"])})
        authority, certificate = str(args["authority"]), str(args["certificate"])
        files = hashlib.sha256(f"{authority}\0{certificate}\0{print_}".encode()).hexdigest()[:16]
        return Step(
            name=name,
            script=shell("docker/listener.sh"),
            values={
                "place": _place(str(args["address"]), int(args["port"])),
                "authority": authority,
                "certificate": certificate,
                "files": files,
            },
            secrets={"key": str(args["key"]), "fingerprint": print_},
            wanted={
                "authority file": "as written",
                "certificate file": "as written",
                KEY_FILE: print_,
                "drop-in": "as written",
                "loaded": "yes",
            },
            timeout_s=180,
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """Of the key only whether it is ours."""
        wanted = self.step("read", args).wanted
        now = super().read(args, {**found, KEY_FILE: wanted[KEY_FILE]})
        if found.get(KEY_FILE) != wanted[KEY_FILE]:
            now["state"] = "; ".join(filter(None, (now["state"].replace(AS_WANTED, ""), f"{KEY_FILE}: changed")))
        return now


def _place(address: str, port: int) -> str:
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
