"""YAML as compose reads it."""

from __future__ import annotations

import re
from typing import Any

import yaml


class _AsCompose(yaml.SafeLoader):
    """Reads YAML 1.2 as compose does: `on` and `22:22` are text, and so are dates."""


_AsCompose.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag.rpartition(":")[2] not in ("bool", "int", "timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_AsCompose.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?i:true|false)$"), list("tTfF"))
_AsCompose.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)


def load_compose(text: str) -> Any:
    """A compose file's content. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_AsCompose)  # noqa: S506  a safe loader with fewer kinds of scalars
