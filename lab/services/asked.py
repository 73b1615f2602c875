"""Which of the project's own images a checkout asks for: those that take long are built when somebody does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_PROJECT = re.compile(r"""\bproject["']?: *["']?([a-z0-9_-]+)""")
_IMAGE = re.compile(r"""\bimage: *["']?([a-z0-9._-]+)["']? *[,}\n]""")


def asked_for(checkout: Path) -> set[str]:
    """Keys of images that the projects in settings of stacks and their classes are made of."""
    files = [*checkout.glob("Pulumi.*.yaml"), *checkout.glob("environments/*.yaml"), *checkout.glob("sites/*.yaml")]
    projects = {name for file in files for name in _PROJECT.findall(file.read_text())}
    return {key for name in projects for key in _images(checkout / "compose" / name)}


def _images(project: Path) -> Iterator[str]:
    """Of the compose file, and of the versions that the project is offered in. Others say what is wrong in them."""
    main, declaration = project / "compose.yaml", project / "project.yaml"
    if main.is_file():
        yield from _IMAGE.findall(main.read_text() + "\n")
    try:
        content: Any = yaml.safe_load(declaration.read_text()) if declaration.is_file() else {}
        for version in content["hosting"]["versions"].values():
            yield from map(str, version["images"].values())
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return
