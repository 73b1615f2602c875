"""Instances as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from hosting.listing import Listed

COLUMNS = ("name", "product", "size", "state", "host", "address", "left", "owner")


def lines_of(found: Sequence[Listed]) -> Iterator[str]:
    """A table, with what is wrong below each line."""
    rows = [_cells(each) for each in found]
    widths = [max(len(row[index]) for row in [COLUMNS, *rows]) for index in range(len(COLUMNS))]
    yield _line(COLUMNS, widths)
    for each, row in zip(found, rows, strict=True):
        yield _line(row, widths)
        yield from (f"  {line}" for line in each.why.splitlines())
    if not rows:
        yield "none is there: make instance-new PRODUCT=odoo NAME=shop"


def line_of(found: Listed) -> str:
    """One instance in a sentence."""
    places = ", ".join(f"{name} http://{found.address}:{number}" for name, number in found.ports.items())
    places = f"{found.url}, {places}" if found.url else places
    end = f"until {found.deadline:%Y-%m-%d %H:%M} UTC" if found.deadline else "without limit"
    said = " ".join(found.why.split())
    return f"{found.name}: {', '.join(filter(None, (found.state.value, places, end)))}{f': {said}' if said else ''}"


def plain(found: Listed) -> dict[str, Any]:
    """As JSON."""
    times = {
        name: moment.isoformat() if (moment := getattr(found, name)) else None for name in ("deadline", "destroy_after")
    }
    names = ("id", "name", "product", "version", "size", "tenant", "owner", "host", "address", "url", "why")
    words = {name: getattr(found, name) for name in names}
    left = None if found.left is None else round(found.left.total_seconds())
    return {
        **words,
        "ports": dict(found.ports),
        "state": found.state.value,
        "run": found.run.value,
        **times,
        "left_s": left,
    }


def _cells(found: Listed) -> tuple[str, ...]:
    ports = ",".join(str(number) for number in found.ports.values())
    address = f"{found.address}:{ports}" if ports else found.address
    address = f"{found.url} {address}" if found.url else address
    return (found.name, found.product, found.size, _wanted(found), found.host, address, _left(found.left), found.owner)


def _wanted(found: Listed) -> str:
    """A state that is on its way, with where it goes."""
    settled = {"running": "started", "stopped": "stopped"}.get(found.state.value)
    return found.state.value if settled in (found.run.value, None) else f"{found.state.value} (to be {found.run.value})"


def _left(left: timedelta | None) -> str:
    if left is None:
        return "no limit"
    if left < timedelta(0):
        return "over"
    days, hours = left.days, left.seconds // 3600
    return f"{days} d {hours} h" if days else f"{hours} h {left.seconds % 3600 // 60} min"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
