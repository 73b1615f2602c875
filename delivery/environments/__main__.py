"""`python -m delivery.environments stacks|matrix|diff|new-stack`: what make runs over all environments."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from delivery.environments.catalog import Environment, environment, environments
from delivery.environments.difference import difference
from delivery.environments.listing import data, lines, text
from delivery.environments.matrix import matrix
from delivery.environments.new_stack import Wish, new_stack
from settings.errors import SettingsError


def main(arguments: Sequence[str]) -> int:
    """Run one; 1 where settings are wrong, 2 where the command line is."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1


def _stacks(options: argparse.Namespace) -> int:
    found = _chosen(options.stacks)  # first: set-up reads the states meanwhile
    listed = lines(found, _states())
    if options.json:
        print(json.dumps(data(listed), indent=2))
    else:
        print("\n".join(text(listed, datetime.now(UTC))))
    return 0


def _matrix(options: argparse.Namespace) -> int:
    print("\n".join(matrix(_chosen(options.stacks))))
    return 0


def _diff(options: argparse.Namespace) -> int:
    a, b = environment(options.a), environment(options.b)
    for one in (a, b):
        if one.error:
            raise SettingsError(f"Pulumi.{one.name}.yaml", [one.error])
    running = {name: state.get("outputs") or {} for name, state in _states().items()}
    print("\n".join(difference(a, b, running)))
    return 0


def _new_stack(options: argparse.Namespace) -> int:
    wish = Wish(
        name=options.name,
        source=options.source,
        site=options.site or None,
        environment_class=options.environment_class or None,
        bridge=options.bridge or None,
    )
    file, notes = new_stack(wish)
    print(f"{file.name} is written, from Pulumi.{wish.source}.yaml:")
    for note in notes:
        print(f"  {note}")
    print(f"Read it, then: make preflight STACK={wish.name}; make up STACK={wish.name}")
    return 0


def _chosen(names: str) -> list[Environment]:
    return [environment(name) for name in names.split()] if names.split() else environments()


def _states() -> Mapping[str, Mapping[str, Any]]:
    """What set-up read of the states and hands over as JSON."""
    said = "" if sys.stdin.isatty() else sys.stdin.read()
    return dict(json.loads(said)) if said.strip() else {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m delivery.environments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    stacks = commands.add_parser("stacks", help="all stacks, with what the states say of them")
    stacks.add_argument("--json", action="store_true")
    stacks.add_argument("--stacks", default="", help="names, separated by blanks; none: all")
    stacks.set_defaults(run=_stacks)
    table = commands.add_parser("matrix", help="what differs between stacks")
    table.add_argument("--stacks", default="", help="names, separated by blanks; none: all")
    table.set_defaults(run=_matrix)
    diff = commands.add_parser("diff", help="settings and running versions of two stacks")
    diff.add_argument("--a", required=True)
    diff.add_argument("--b", required=True)
    diff.set_defaults(run=_diff)
    new = commands.add_parser("new-stack", help="a new stack from one that is there")
    new.add_argument("--name", required=True)
    new.add_argument("--from", dest="source", required=True)
    new.add_argument("--site", default="")
    new.add_argument("--class", dest="environment_class", default="")
    new.add_argument("--bridge", default="")
    new.set_defaults(run=_new_stack)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
