"""Docker's daemon.json: the whole file, loaded by the running daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import Facts
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.step import Step, shell

FILE = "/etc/docker/daemon.json"
UNITS_OWN = ("hosts", "containerd", "pidfile")
"""What docker.service gives to dockerd as flags, or what is looked for where Docker has it."""


class DockerDaemon(Kind):
    """`config`: what daemon.json holds. Containers go on through its restart, as `live-restore` is loaded first."""

    name: ClassVar[str] = "DockerDaemon"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """What would keep the daemon from starting whatever else is in it."""
        for key in UNITS_OWN:
            if key in args["config"]:
                reason = f"`{key}` is for docker.service to say, and the daemon does not start with both; leave it out"
                yield Problem(property="config", reason=reason)

    def step(self, name: str, args: Arguments) -> Step:
        """Write it; where Docker runs, validate it first and restart the daemon."""
        text = json.dumps(args["config"], indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        return Step(
            name=name,
            script=shell("docker/daemon.sh"),
            values={"text": text},
            wanted={"text": text, "loaded": "yes"},
            timeout_s=180,
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """The configuration as parsed from the file, so that a preview shows the keys that differ."""
        text, aside = str(found.get("text", "")), []
        try:
            config: Any = json.loads(text) if text else {}
        except ValueError:
            config, aside = args["config"], [f"{FILE} is not JSON"]
        if not text:
            aside.append(f"{FILE} is absent")
        elif config == args["config"] and text != self.step("read", args).wanted["text"]:
            aside.append(f"{FILE} is written differently")
        if found.get("loaded") != "yes":
            aside.append(f"the running daemon has older settings than {FILE}")
        return {**args, "config": config, "state": "; ".join(aside) or AS_WANTED}
