"""A filesystem that is there already, mounted now and at every boot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

DEVICE = Word(r"(UUID|LABEL|PARTUUID|PARTLABEL)=[A-Za-z0-9._-]+|/dev/[A-Za-z0-9._/:-]+", "UUID=…, LABEL=… or /dev/…")
PLACE = Word(r"(/[A-Za-z0-9_][A-Za-z0-9._-]*)+", "an absolute path without . or .., such as /srv/data")
SYSTEM = frozenset("bin boot dev etc home lib lib64 opt proc root run sbin srv sys tmp usr var var/lib var/log".split())
"""What is in these is the host's own; a filesystem goes below them, or beside them."""
OPTIONS = Word(r"[A-Za-z0-9_][A-Za-z0-9._=,:/-]*", "mount options such as defaults,noatime")


class Mount(Kind):
    """`device`, `mount`, `filesystem`, `options`. Nothing is ever formatted; the revert unmounts."""

    name: ClassVar[str] = "Mount"
    replace_on: ClassVar[frozenset[str]] = frozenset({"mount"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A device, a place, words."""
        yield from DEVICE.problems("device", args["device"])
        yield from PLACE.problems("mount", args["mount"])
        if str(args["mount"]).lstrip("/") in SYSTEM:
            yield Problem(
                property="mount", reason=f"{args['mount']}, which belongs to the system; expected one below it"
            )
        yield from OPTIONS.problems("options", args.get("options", "defaults"))
        if args["filesystem"] not in ("ext4", "xfs"):
            yield Problem(property="filesystem", reason=f"{args['filesystem']!r}, expected ext4 or xfs")

    def step(self, name: str, args: Arguments) -> Step:
        """A mount unit of our own, before Docker starts."""
        values = {key: str(args[key]) for key in ("device", "mount", "filesystem")}
        return Step(
            name=name,
            script=shell("system/mount.sh"),
            values={**values, "options": str(args.get("options", "defaults"))},
            wanted={
                "device": values["device"],
                "filesystem": values["filesystem"],
                "unit": "as written",
                "at boot": "enabled",
            },
        )
