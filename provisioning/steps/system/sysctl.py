"""Settings of the host's kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

KEY = Word(
    r"[a-z][a-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_:@/-]*)+",
    "a key of the kernel, such as net.ipv4.ip_forward (with / for a dot in the name of an interface)",
)
FORWARDING = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding")
"""One switch under two names. A change of it resets other keys below net.ipv4.conf, so these come first."""


class Sysctl(Kind):
    """`settings`: the value of each key, now and after every boot."""

    name: ClassVar[str] = "Sysctl"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Keys and values as sysctl.d and the kernel read them back."""
        for key, value in args["settings"].items():
            yield from KEY.problems("settings", key)
            if isinstance(value, bool) or not isinstance(value, str | int) or not _is_value(str(value)):
                reason = f"{key}: {value!r}, expected a number, or words with one space between them"
                yield Problem(property="settings", reason=reason)
            elif key in FORWARDING and str(value) == "0":
                reason = f"{key}: 0, but without forwarding no container of this host reaches a network; leave it out"
                yield Problem(property="settings", reason=reason)

    def step(self, name: str, args: Arguments) -> Step:
        """A file of our own for every boot, and the values now; the revert gives the values back that were there."""
        settings = _in_order(args["settings"])
        content = "".join(f"{key} = {value}\n" for key, value in settings.items())
        return Step(
            name=name,
            script=shell("system/sysctl.sh"),
            values={"keys": list(settings), "values": list(settings.values()), "content": content},
            wanted={"settings": settings, "file": "as written", "overruled": []},
        )


def _in_order(settings: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(settings[key]) for key in sorted(settings, key=lambda key: (key not in FORWARDING, key))}


def _is_value(text: str) -> bool:
    return re.fullmatch(r"[^\s\x00-\x1f\x7f]+( [^\s\x00-\x1f\x7f]+)*", text) is not None
