"""What differs between environments, as a table in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from delivery.environments.catalog import Environment
from delivery.environments.flat import ABSENT, flat
from delivery.markdown import code, listed, table

MOST_COLUMNS = 6
MOST_NAMES = 5


def matrix(found: Sequence[Environment]) -> Iterator[str]:
    """A column for each stack where they are few, else a line for each value with the stacks that have it."""
    right = {one.name: flat(one) for one in found if one.settings is not None}
    for one in found:
        if one.error:
            yield f"Left out: {code(one.name)}, its settings are wrong; `make preview STACK=…` says where.\n"
    differing = [path for path in _all(right) if len({values.get(path, ABSENT) for values in right.values()}) > 1]
    if not differing:
        yield "They do not differ."
    elif len(right) <= MOST_COLUMNS:
        rows = ([code(path), *(_value(values, path) for values in right.values())] for path in differing)
        yield from table(["setting", *map(code, right)], rows)
    else:
        yield from table(["setting", "value", "stacks"], _grouped(right, differing))


def _all(right: Mapping[str, Mapping[str, str]]) -> list[str]:
    return sorted({path for values in right.values() for path in values})


def _value(values: Mapping[str, str], path: str) -> str:
    return code(values[path]) if values.get(path) else " "


def _grouped(right: Mapping[str, Mapping[str, str]], paths: Sequence[str]) -> Iterator[list[str]]:
    """The commonest value first."""
    for path in paths:
        stacks = defaultdict(list)
        for name, values in right.items():
            stacks[values.get(path, ABSENT)].append(code(name))
        for value, names in sorted(stacks.items(), key=lambda item: (-len(item[1]), item[0])):
            yield [code(path), code(value) if value else " ", f"{len(names)}: {listed(names, MOST_NAMES)}"]
