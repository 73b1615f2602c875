"""Where a host takes its time from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

SERVER = Word(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,250}[A-Za-z0-9])?", "the name or address of a time server")


class TimeSync(Kind):
    """`servers`, `pools`: chrony's only sources. Its whole configuration is ours; another time daemon is stopped."""

    name: ClassVar[str] = "TimeSync"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names or addresses, at least one."""
        servers, pools = list(args.get("servers", ())), list(args.get("pools", ()))
        yield from SERVER.problems("servers", *servers)
        yield from SERVER.problems("pools", *pools)
        if not servers and not pools:
            yield Problem(property="servers", reason="none, and no pools either; expected at least one of both")

    def step(self, name: str, args: Arguments) -> Step:
        """Install chrony where it is missing, own its configuration, let it run."""
        servers, pools = list(map(str, args.get("servers", ()))), list(map(str, args.get("pools", ())))
        lines = [
            *(f"server {server} iburst" for server in servers),
            *(f"pool {pool} iburst" for pool in pools),
            "driftfile /var/lib/chrony/drift",
            "makestep 1.0 3",
            "rtcsync",
            "logdir /var/log/chrony",
        ]
        return Step(
            name=name,
            script=shell("system/time_sync.sh"),
            values={"content": "\n".join(lines) + "\n"},
            wanted={
                "servers": servers,
                "pools": pools,
                "file": "as written",
                "chrony": "enabled active",
                "other time daemons": [],
            },
            timeout_s=300,
        )
