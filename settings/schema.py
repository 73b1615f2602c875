"""JSON Schemas and reference of the settings: `python -m settings.schema` writes them, a test keeps them true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from settings.environment import EXTENDS
from settings.layers import OF_A_STACK
from settings.program import NAMESPACE, SECRETS
from settings.reference import reference
from settings.site import CHECKOUT, Site
from settings.stack import StackSettings

FOLDER = CHECKOUT / "docs" / "schema"


def stack_schema() -> dict[str, Any]:
    """The schema of a Pulumi.<stack>.yaml: our keys are typed, those of other packages are free."""
    ours = StackSettings.model_json_schema()
    definitions, properties = ours.pop("$defs"), ours.pop("properties")
    keys = {f"{NAMESPACE}:{name}": value for name, value in properties.items()}
    keys |= {f"{NAMESPACE}:{name}": {"type": "object", "required": ["secure"]} for name in sorted(SECRETS)}
    config = {
        "type": "object",
        "properties": keys,
        "patternProperties": {f"^(?!{NAMESPACE}:)": {}},
        "additionalProperties": False,
        "required": [f"{NAMESPACE}:{name}" for name in ours["required"]],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hypercompose stack",
        "type": "object",
        "properties": {"config": config},
        "$defs": definitions,
    }


def environment_schema() -> dict[str, Any]:
    """The schema of an environments/<class>.yaml: a stack's settings, none required, `null` to take one back."""
    ours = StackSettings.model_json_schema()
    known = {name: value for name, value in ours["properties"].items() if name not in OF_A_STACK}
    properties = {name: {"anyOf": [value, {"type": "null"}]} for name, value in known.items()}
    extends = {"type": "string", "description": "the class that this one stands on"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hypercompose environment class",
        "type": "object",
        "properties": {EXTENDS: extends, **properties},
        "additionalProperties": False,
        "$defs": ours["$defs"],
    }


def site_schema() -> dict[str, Any]:
    """The schema of a sites/<site>.yaml; its `defaults` are like an environment class."""
    site, defaults = Site.model_json_schema(), environment_schema()
    site["$defs"] = {**defaults["$defs"], **site["$defs"]}
    known = {name: value for name, value in defaults["properties"].items() if name != EXTENDS}
    site["properties"]["defaults"].update(properties=known, additionalProperties=False)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **site}


def files() -> dict[Path, str]:
    """What the schema files must hold."""
    schemas = {
        "stack.schema.json": stack_schema(),
        "environment.schema.json": environment_schema(),
        "site.schema.json": site_schema(),
    }
    texts = {FOLDER / name: json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in schemas.items()}
    return {**texts, FOLDER.parent / "settings.md": reference()}


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in files().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
