"""YAML by pointer: the reader's marks tell where a value stands, its quotes and comments stay."""

from __future__ import annotations

import re
from typing import Any

import yaml

from provisioning.config_files import pointer
from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, only, spelled
from provisioning.config_files.yaml_walk import Walk

problem = pointer.problem

_READER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = yaml.SafeLoader("")
_WORDS = (("true", "false"), ("yes", "no"), ("on", "off"))
_EXPECTED = {"int": "a whole number", "float": "a number", "null": "null", "timestamp": "a date"}
_KINDS = {"int": ("int",), "float": ("int", "float"), "null": ("null",), "timestamp": ("timestamp",)}
# Base 60 and base 8 are numbers to some readers only.
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# What YAML 1.2 takes for numbers, and some readers of 1.1 for yes and no, where PyYAML sees text.
_OTHERWISE = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[yYnN]")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)*")
_INDICATORS = "-?:,[]{}#&*!|>'\"%@`=<~"
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = "".join(_ESCAPES)
_TEXT, _FLOW = "text", "text in brackets"


def locate(text: str, at: str) -> Place:
    """The scalar that the pointer leads to."""
    walk = Walk(pointer.tokens(at))
    try:
        walk.through(yaml.parse(text, Loader=_READER))
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise EditError(f"{at}: the file is no valid YAML{line}: {error.problem}") from None
    except yaml.YAMLError:
        raise EditError(f"{at}: the file is no valid YAML: it has a character that YAML does not allow") from None
    _check(walk, at)
    node = walk.node
    start = node.start_mark.index
    if node.anchor or node.tag:
        start += _properties(text[start : node.end_mark.index])
    raw = text[start : node.end_mark.index]
    if not raw:
        raise EditError(f"{at}: has no value there, expected one to replace, at least empty quotes")
    style = node.style or _style(node, walk.is_flow, at)
    return Place(start=start, end=start + len(raw), value=node.value, raw=raw, style=style, around=walk.others)


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value as the kind that stands there; text in its quotes, or in quotes of its own where it needs them."""
    if place.style == "bool":
        return _word(at, place, value)
    if place.style in _KINDS:
        is_number = place.style in ("int", "float")
        if _kind(value) in _KINDS[place.style] and (not is_number or _NUMBER.fullmatch(value)):
            return value
        raise EditError(f"{at}: expected {_EXPECTED[place.style]}, as stands there")
    if place.style in (_TEXT, _FLOW) and holds(value) and _is_plain(value, place.style == _FLOW):
        return value
    if place.style != '"' and holds(value) and not _UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    return f'"{spelled(value, lambda text: holds(text) and not _UNPRINTABLE.search(text), _escape, _SPECIAL)}"'


def _check(walk: Walk, at: str) -> None:
    """Refuses what is not one scalar of its own."""
    if walk.documents > 1:
        raise EditError(f"{at}: the file holds {walk.documents} documents, expected one")
    for depth, count in enumerate(walk.reached):
        way = pointer.up_to(at, depth + 1)
        if walk.alias_on_way and not any(walk.reached[depth + 1 :]):
            raise EditError(f"{at}: {way} is taken from an anchor elsewhere, and would change there: select it there")
        if count != 1:
            only([way] * count, at, way, "readers differ")
    if not isinstance(walk.node, yaml.ScalarEvent):
        raise EditError(f"{at}: is a mapping or a sequence, expected the pointer of one value in it")
    if walk.anchors & walk.aliases:
        raise EditError(f"{at}: is taken again elsewhere by an alias, which would change too: write it out there first")
    if walk.node.style in ("|", ">"):
        raise EditError(f"{at}: is a block of lines (| or >), expected a value on its line")


def _properties(written: str) -> int:
    """The length of the anchor and the tag before a value."""
    match = _PROPERTIES.match(written)
    return match.end() if match else 0


def _style(node: Any, is_flow: bool, at: str) -> str:
    """How a plain scalar reads: as text or as another kind."""
    if node.tag not in (None, "!", "tag:yaml.org,2002:str"):
        raise EditError(f"{at}: has a tag of its own, expected a value without")
    kind = "str" if node.tag else _kind(node.value)
    return (_FLOW if is_flow else _TEXT) if kind == "str" else kind


def _kind(value: str) -> str:
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, value, (True, False))
    return tag.rpartition(":")[2]


def _word(at: str, place: Place, value: str) -> str:
    words = next(words for words in _WORDS if place.value.lower() in words)
    if value.lower() in words and _kind(value) == "bool":
        return value
    raise EditError(f"{at}: expected {' or '.join(words)}, as stands there")


def _is_plain(value: str, is_flow: bool) -> bool:
    """Whether the value reads as this very text without quotes, in any version of YAML."""
    if not value or value != value.strip() or value[0] in _INDICATORS or _UNPRINTABLE.search(value):
        return False
    if ": " in value or " #" in value or value.endswith(":") or (is_flow and any(char in value for char in ",[]{}")):
        return False
    return _kind(value) == "str" and not _OTHERWISE.fullmatch(value)


def _escape(char: str) -> str:
    return _ESCAPES.get(char) or (f"\\u{ord(char):04X}" if ord(char) < 0x10000 else f"\\U{ord(char):08X}")
