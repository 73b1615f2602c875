"""What somebody asks for."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hosting.errors import DemandRefused
from hosting.routes import LABEL as ROUTE
from hosting.words import LABEL, PORT_NAME, WORD, is_plain

MOST_MEMORY_MIB = 16 * 1024 * 1024
MOST_PORTS = 16
MOST_DAYS = 36_500
MOST_SETTINGS = 64 * 1024
"""Characters of JSON."""
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""The sign as JSON writes it, which PostgreSQL cannot keep."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """An instance of a product, and what it needs of a host."""

    name: str
    product: str
    version: str
    size: str
    tenant: str
    owner: str
    memory_mib: int
    networks: int = 1
    port_names: tuple[str, ...] = ("web",)
    """Their numbers are neighbours, in this order."""
    route: str | None = None
    """Its name at the router of its host, where that has one; None: no name."""
    must_route: bool = False
    """Only on a host that gives it that name."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    lasts: timedelta | None = None
    """From the moment it is asked for; None: without limit."""
    environment: str | None = None
    """Only on hosts of that environment."""
    host: str | None = None
    """Only on that one, `<environment>/<host>`."""
    idempotency_key: str | None = None
    """Asked again with the same key, the tenant gets the same instance."""

    def hash(self) -> str:
        """The same for the same demand."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def check_demand(demand: Demand, *, max_days: int | None) -> None:
    """DemandRefused with everything that is wrong with it. `max_days`: the longest that one may last."""
    problems = [*_names(demand), *_needs(demand), *_lasts(demand.lasts, max_days), *_settings(demand.settings)]
    if problems:
        raise DemandRefused("\n".join(problems))


def check_size(*, size: str, memory_mib: int, version: str | None, settings: Mapping[str, Any] | None) -> None:
    """DemandRefused with everything that is wrong with what an instance is to become."""
    problems = [*_words(size=size, version=size if version is None else version), *_memory(memory_mib)]
    if problems := [*problems, *_settings(settings or {})]:
        raise DemandRefused("\n".join(problems))


def _names(demand: Demand) -> Iterator[str]:
    if not _fits(LABEL, demand.name):
        yield f"name: {demand.name!r}, expected at most 40 small letters, digits, dashes (a DNS label); choose another"
    yield from _words(product=demand.product, version=demand.version, size=demand.size)
    for name in ("tenant", "owner"):
        if not is_plain(getattr(demand, name), 200):
            yield f"{name}: {getattr(demand, name)!r}, expected one line of at most 200 characters; say who it is for"
    if demand.route is not None and not _fits(ROUTE, demand.route):
        yield f"route: {demand.route!r}, expected small letters, digits, dashes, at most 63; choose another"
    for name in ("environment", "host", "idempotency_key"):
        value = getattr(demand, name)
        if value is not None and not is_plain(value, 200):
            yield f"{name}: {value!r}, expected one line of at most 200 characters; leave it out, or correct it"


def _words(**words: str) -> Iterator[str]:
    for name, value in words.items():
        if not _fits(WORD, value):
            yield f"{name}: {value!r}, expected {WORD.pattern}; look into the catalogue"


def _memory(memory_mib: int) -> Iterator[str]:
    if not _is_between(1, memory_mib, MOST_MEMORY_MIB):
        yield f"memory_mib: {memory_mib!r}, expected 1 to {MOST_MEMORY_MIB}; choose another size"


def _needs(demand: Demand) -> Iterator[str]:
    yield from _memory(demand.memory_mib)
    if not _is_between(0, demand.networks, 100):
        yield f"networks: {demand.networks!r}, expected 0 to 100; correct the product"
    ports = demand.port_names
    if len(ports) > MOST_PORTS or len(set(ports)) < len(ports) or not all(_fits(PORT_NAME, name) for name in ports):
        yield (
            f"port_names: {', '.join(map(repr, ports))}, expected at most {MOST_PORTS} different ones like 'web'; "
            "correct the product"
        )


def _lasts(lasts: timedelta | None, max_days: int | None) -> Iterator[str]:
    if lasts is not None and lasts <= timedelta(0):
        yield f"lasts: {lasts}, expected time ahead; ask for some days"
    most = MOST_DAYS if max_days is None else max_days
    if (lasts is None and max_days is not None) or (lasts is not None and lasts > timedelta(days=most)):
        yield f"lasts: {lasts or 'without limit'}, expected at most {most} days; ask for less, and extend it later"


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    try:
        text = json.dumps(settings, allow_nan=False, ensure_ascii=False, sort_keys=True)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        yield f"settings: not JSON ({_in_one_line(error)}), expected the product's settings; correct them"
        return
    if not isinstance(settings, dict) or NUL.search(text) or len(text) > MOST_SETTINGS:
        yield (
            f"settings: {len(text)} characters, expected an object of at most {MOST_SETTINGS} without NUL; "
            "put files elsewhere"
        )


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _fits(pattern: Any, value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_between(least: int, value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
