"""Forms of words that more than one kind takes, with what to say of a wrong one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from provisioning.claim import Problem


@dataclass(frozen=True)
class Word:
    """A pattern and what it stands for."""

    pattern: str
    expected: str

    def problems(self, where: str, *values: Any) -> Iterator[Problem]:
        """One for each value that does not fit."""
        for value in values:
            if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
                yield Problem(property=where, reason=f"{value!r}, expected {self.expected}")


HOST_NAME = Word(
    r"(?=.{1,64}$)[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*",
    "a host name of letters, digits, dashes and dots, 64 characters at most",
)
ACCOUNT = Word(
    r"[a-z_][a-z0-9_-]{0,30}", "a name of lower-case letters, digits, - and _, at most 31 characters, no digit first"
)
PACKAGE = Word(r"[a-zA-Z0-9][a-zA-Z0-9+._-]*", "the name of a package")
PORT = Word(r"\d{1,5}(-\d{1,5})?/(tcp|udp|sctp|dccp)", "a port or range with its protocol, such as 443/tcp")
FILE_NAME = Word(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}", "letters, digits, - and _, 64 at most")


def hostile_lines(where: str, values: Iterable[str]) -> Iterator[Problem]:
    """Line ends and other control characters, where a file has one value a line."""
    for value in values:
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            yield Problem(property=where, reason=f"{value!r}, expected text without line ends or control characters")


def number_problems(where: str, value: Any, low: int, high: int) -> Iterator[Problem]:
    """A whole number between two others."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        yield Problem(property=where, reason=f"{value!r}, expected a whole number from {low} to {high}")


def flag_problems(where: str, value: Any) -> Iterator[Problem]:
    """Yes or no."""
    if not isinstance(value, bool):
        yield Problem(property=where, reason=f"{value!r}, expected true or false")


def port_problems(where: str, ports: Sequence[str]) -> Iterator[Problem]:
    """Ports with protocol, from 1 to 65535, ranges in their order."""
    for port in ports:
        found = list(PORT.problems(where, port))
        numbers = [] if found else [int(n) for n in str(port).partition("/")[0].split("-")]
        yield from found
        if numbers and not (all(1 <= n <= 65535 for n in numbers) and numbers == sorted(numbers)):
            yield Problem(property=where, reason=f"{port!r}, expected ports from 1 to 65535 in their order")


def network_problems(where: str, networks: Sequence[str]) -> Iterator[Problem]:
    """Networks in CIDR notation."""
    for network in networks:
        try:
            ip_network(str(network))
        except ValueError as error:
            yield Problem(property=where, reason=f"{network!r}, expected a network such as 10.0.0.0/8 ({error})")
