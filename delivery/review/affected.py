"""`python -m delivery.review.affected`: the stacks that a change can touch, from the files it touches."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SETTINGS = re.compile(r"Pulumi\.(?P<stack>[^/]+)\.yaml\Z")
SITE = re.compile(r"sites/(?P<site>[^/.]+)(\.images)?\.yaml\Z")
CLASS = re.compile(r"environments/(?P<environment>[^/]+)\.yaml\Z")
PROJECT = re.compile(r"compose/(?P<project>[^/]+)/.")
WITHOUT_EFFECT = re.compile(
    r"(docs|tests|lab|delivery|setup|images|\.ci)/.|[^/]+\.(md|svg)\Z|Makefile\Z|\.gitignore\Z|bitbucket-pipelines\.yml\Z"
)
"""What surrounds the program. The project's own images count when their lock changes, which is a file of sites/."""


@dataclass(frozen=True, kw_only=True)
class Affected:
    """Names of stacks, sorted; `removed`: those whose settings the change takes away."""

    stacks: tuple[str, ...]
    removed: tuple[str, ...] = ()

    def sample(self, limit: int | None, environments: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """At most `limit` of the stacks, from as many environments as can be, and the others."""
        if limit is None or len(self.stacks) <= limit:
            return list(self.stacks), []
        turns: dict[str, int] = {}
        order = []
        for stack in self.stacks:
            turn = turns[environments.get(stack, "")] = turns.get(environments.get(stack, ""), -1) + 1
            order.append((turn, stack))
        chosen = {stack for _, stack in sorted(order)[: max(limit, 0)]}
        return sorted(chosen), [stack for stack in self.stacks if stack not in chosen]


class Stacks:
    """The stacks of a checkout: site, environment class, projects."""

    def __init__(self, checkout: Path) -> None:
        """Read every Pulumi.<stack>.yaml. Labs are left out: what is there is thrown away, nobody reviews it."""
        self._checkout, self._read = checkout, dict[str, Mapping[str, Any]]()
        found = {f.name[len("Pulumi.") : -len(".yaml")]: _config(f) for f in checkout.glob("Pulumi.*.yaml")}
        self.configs = {name: config for name, config in sorted(found.items()) if not _is_lab(config)}

    def environments(self) -> dict[str, str]:
        """What is worth a look of its own, by stack: its class on its site."""
        return {name: f"{_site(config)} {_class(config)}" for name, config in self.configs.items()}

    def affected(self, files: Iterable[str]) -> Affected:
        """By files of a change, as git names them."""
        stacks: set[str] = set()
        removed: set[str] = set()
        for file in files:
            stacks.update(self._by(file))
            own = SETTINGS.match(file)
            if own and not (self._checkout / file).exists():
                removed.add(own["stack"])
        return Affected(stacks=tuple(sorted(stacks)), removed=tuple(sorted(removed)))

    def _by(self, file: str) -> Iterator[str]:
        if own := SETTINGS.match(file):
            yield from ({own["stack"]} & set(self.configs))
        elif site := SITE.match(file):
            yield from (name for name, config in self.configs.items() if _site(config) == site["site"])
        elif environment := CLASS.match(file):
            yield from (name for name in self.configs if environment["environment"] in self._classes(name))
        elif project := PROJECT.match(file):
            yield from (name for name in self.configs if self._uses(name, project["project"]))
        elif not WITHOUT_EFFECT.match(file):
            yield from self.configs

    def _uses(self, stack: str, project: str) -> bool:
        """Whether a layer of its settings names the project: its own, its classes', its site's."""
        config = self.configs[stack]
        site = self._file(f"sites/{_site(config)}.yaml").get("defaults")
        layers = [config, site, *(self._file(f"environments/{name}.yaml") for name in self._classes(stack))]
        return any(name == project for name in _projects(layers))

    def _classes(self, stack: str) -> list[str]:
        """Its class, and those that it stands on."""
        classes: list[str] = []
        name = _class(self.configs[stack])
        while name and name not in classes:
            classes.append(name)
            name = str(self._file(f"environments/{name}.yaml").get("extends") or "")
        return classes

    def _file(self, name: str) -> Mapping[str, Any]:
        """A settings file of the checkout, read once."""
        if name not in self._read:
            self._read[name] = _mapping(self._checkout / name)
        return self._read[name]


def changed_files(base: str, head: str, checkout: Path) -> list[str]:
    """Files that `head` changes since it left `base`; of a renamed one both names. Raises OSError."""
    done = subprocess.run(
        ["git", "diff", "--name-only", "--no-renames", "-z", "--end-of-options", f"{base}...{head}", "--"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise OSError(f"git diff {base}...{head}: {why}; fetch the destination branch, with its whole history")
    return [name for name in done.stdout.split("\0") if name]


def main(arguments: Sequence[str]) -> int:
    """Print the choice as JSON: `stacks`, `left_out`, `removed`."""
    options = _parser().parse_args(arguments)
    stacks = Stacks(options.checkout)
    try:
        found = stacks.affected(changed_files(options.base, options.head, options.checkout))
    except OSError as error:
        print(f"review: {error}", file=sys.stderr)
        return 1
    chosen, left_out = found.sample(options.limit, stacks.environments())
    print(json.dumps({"stacks": chosen, "left_out": left_out, "removed": found.removed}))
    return 0


def _config(file: Path) -> Mapping[str, Any]:
    found = _mapping(file).get("config")
    return found if isinstance(found, Mapping) else {}


def _mapping(file: Path) -> Mapping[str, Any]:
    """What a YAML file holds; nothing where it cannot be read: its preview says why."""
    try:
        found = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _site(config: Mapping[str, Any]) -> str:
    return str(config.get("hypercompose:site", ""))


def _class(config: Mapping[str, Any]) -> str:
    return str(config.get("hypercompose:class", ""))


def _is_lab(config: Mapping[str, Any]) -> bool:
    return _site(config) == "lab" or _site(config).startswith("lab-")


def _projects(value: Any) -> Iterator[str]:
    """Every `project` below, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("project"), str):
            yield value["project"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _projects(inner)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m delivery.review.affected", description=__doc__)
    parser.add_argument("--base", required=True, help="where the change goes, for example origin/main")
    parser.add_argument("--head", default="HEAD", help="the change")
    parser.add_argument("--limit", type=int, help="how many stacks to preview at most")
    parser.add_argument("--checkout", type=Path, default=Path(), help="folder of the checkout")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
