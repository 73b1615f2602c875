"""The formats by name, and what selects a value in each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from provisioning.config_files import env_file, ini_file, json_file, properties_file, text_file, xml_file, yaml_file
from provisioning.config_files.span import Holds, Place


@dataclass(frozen=True, kw_only=True)
class Selector:
    """The one value that is meant in a file."""

    format: str
    """One of `FORMATS`."""
    at: str
    """What names the value, in the words of its format: a pointer, a path, a key, an expression."""


@dataclass(frozen=True)
class Found:
    """A value that stands in a file."""

    value: str
    raw: str
    """The very text that stands there, with its quotes and escapes."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """How values of a format are found and written."""

    problem: Callable[[str], str | None]
    """What is wrong with a selector."""
    locate: Callable[[str, str], Place]
    """Text, selector -> the place; EditError when there is not exactly one."""
    spell: Callable[[str, Place, str, Holds], str]
    """Selector, place, new value -> the text to write there; EditError where it does not fit."""


BY_NAME = {
    "json": Format(problem=json_file.problem, locate=json_file.locate, spell=json_file.spell),
    "xml": Format(problem=xml_file.problem, locate=xml_file.locate, spell=xml_file.spell),
    "ini": Format(problem=ini_file.problem, locate=ini_file.locate, spell=ini_file.spell),
    "yaml": Format(problem=yaml_file.problem, locate=yaml_file.locate, spell=yaml_file.spell),
    "properties": Format(problem=properties_file.problem, locate=properties_file.locate, spell=properties_file.spell),
    "env": Format(problem=env_file.problem, locate=env_file.locate, spell=env_file.spell),
    "text": Format(problem=text_file.problem, locate=text_file.locate, spell=text_file.spell),
}
FORMATS: tuple[str, ...] = tuple(BY_NAME)
_SUFFIXES = {
    "json": "json",
    "config": "xml",
    "xml": "xml",
    "csproj": "xml",
    "props": "xml",
    "ini": "ini",
    "yaml": "yaml",
    "yml": "yaml",
    "properties": "properties",
    "env": "env",
}


def format_of(path: str) -> str | None:
    """The format that a file's name tells; None where the settings have to."""
    name = re.split(r"[/\\]", path)[-1].lower()
    if name.startswith(".env."):
        return "env"
    return _SUFFIXES.get(name.rpartition(".")[2]) if "." in name else None


def selector_problem(format: str, at: str) -> str | None:
    """What is wrong with a selector, as far as no file is needed to tell; None when nothing is."""
    if format not in BY_NAME:
        return f"format {format!r} is not one of {', '.join(FORMATS)}"
    if not at:
        return "is empty, expected what names the value"
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in at):
        return "holds a character that no file holds"
    return BY_NAME[format].problem(at)
