"""A step: one change to a host, as data. Renders the programs that a host runs; runs none."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from provisioning.steps.facts import Facts, text_of, to_lines

MASK = "***"
FOLDER = Path(__file__).parent
RESERVED = frozenset("step ours before due family written".split())
"""Names that the programs themselves use, beside those that start with `hc_`."""
Value = str | int | bool | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change to a host. Its script defines the shell functions `check`, `apply` and `revert`."""

    name: str
    """Unique on its host; letters, digits and dashes."""
    script: str
    values: Mapping[str, Value] = field(default_factory=dict)
    """Shell variables of all three: text, arrays, associative arrays."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Shell variables that `apply` and `revert` alone have, and no rendering shows."""
    wanted: Facts
    """What `check` prints once the host is as wanted."""
    timeout_s: float = 120
    lock_timeout_s: float = 120
    """How long another run on the host may keep it waiting before it begins."""

    def __post_init__(self) -> None:
        """Refuse names of values that a program needs for itself."""
        for name in (*self.values, *self.secrets):
            if name in RESERVED or name.startswith("hc_"):
                raise TypeError(f"step {self.name}: the value {name!r} would overwrite one of the program's own")

    def check_program(self) -> str:
        """Changes nothing, prints facts. The host keeps a copy, so it holds no secret."""
        return "\n".join([*self._head(self.values), self.script, "check", ""])

    def check_hash(self) -> str:
        """By which a survey's answer is known to be one to this very check."""
        return hashlib.sha256(self.check_program().encode()).hexdigest()

    def converge_program(self, *, resumed: bool = False, login_key: str = "", undo: bool = False) -> str:
        """Looks, applies what differs, looks again.

        `login_key`: the public key that we log in with. `undo`: the host takes the change back by itself unless it is
        told within a minute that it can still be reached.
        """
        more = {"hc_check_program": self.check_program(), "hc_wanted": to_lines(self.wanted)}
        more |= {"hc_lock_timeout_s": str(int(self.lock_timeout_s)), "hc_resumed": "yes" if resumed else "no"}
        more |= {"hc_login_key": login_key, "hc_undo_program": self.revert_program() if undo else ""}
        return self._program({**self.values, **self.secrets, **more}, "converge.sh")

    def revert_program(self) -> str:
        """Takes the step back."""
        more = {"hc_lock_timeout_s": str(int(self.lock_timeout_s))}
        return self._program({**self.values, **self.secrets, **more}, "revert.sh")

    def masked(self) -> str:
        """What a person may read of it: values without secrets, then the script."""
        shown = {**self.values, **dict.fromkeys(self.secrets, MASK)}
        return "\n".join([*assignments(shown), self.script.strip()])

    def redacted(self, text: str) -> str:
        """A text from the host without any of the secrets."""
        for secret in sorted(filter(None, self.secrets.values()), key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def _program(self, values: Mapping[str, Value], script: str) -> str:
        body = [*self._head(values), self.script, shell(script)]
        # read to its end before it starts: a program that was cut on its way does nothing at all
        return "\n".join(["hypercompose() {", *body, "}", "hypercompose </dev/null", ""])

    def _head(self, values: Mapping[str, Value]) -> Iterator[str]:
        yield from assignments({"step": self.name, **values})
        yield from library()


def library() -> tuple[str, str]:
    """The functions that every script may use."""
    return shell("prelude.sh"), shell("package_manager.sh")


@cache
def shell(name: str) -> str:
    """A shell file of this folder."""
    return (FOLDER / name).read_text()


def assignments(values: Mapping[str, Value]) -> Iterator[str]:
    """Shell variables with every value quoted. ValueError for what no shell variable can hold."""
    for name, value in values.items():
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            raise ValueError(f"{name!r} is no name of a shell variable")
        yield _assignment(name, value)


def _assignment(name: str, value: Value) -> str:
    if isinstance(value, Mapping):
        return f"declare -A {name}=({' '.join(f'[{_quoted(key)}]={_quoted(text)}' for key, text in value.items())})"
    if isinstance(value, str | int):
        return f"{name}={_quoted(value)}"
    return f"{name}=({' '.join(map(_quoted, value))})"


def _quoted(value: Any) -> str:
    text = text_of(value)
    if "\0" in text:
        raise ValueError("a NUL character cannot travel in a shell variable")
    return shlex.quote(text)
