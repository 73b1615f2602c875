"""The way through the events of a YAML document to the node that a pointer names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

OFF = -1
"""The level of what is not on the way."""


_NODES = {yaml.ScalarEvent, yaml.AliasEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent}
_ENDS = {yaml.SequenceEndEvent, yaml.MappingEndEvent}


@dataclass(slots=True)
class Frame:
    """A mapping or sequence that is open."""

    level: int
    """How many tokens of the pointer led here."""
    is_mapping: bool
    is_flow: bool
    name: str | None = None
    has_key: bool = False
    count: int = 0

    def child(self, event: Any, tokens: list[str]) -> int:
        """The level of the next node in it."""
        if self.is_mapping and not self.has_key:
            self.name, self.has_key = getattr(event, "value", None), True
            return OFF
        name = self.name if self.is_mapping else str(self.count)
        self.has_key = False
        self.count += 1
        if self.level == OFF or self.level == len(tokens) or name != tokens[self.level]:
            return OFF
        return self.level + 1


@dataclass
class Walk:
    """What was met on the way."""

    tokens: list[str]
    reached: list[int] = field(default_factory=list)
    """How many nodes each token led to."""
    documents: int = 0
    node: Any = None
    """The event of the node that is meant."""
    is_flow: bool = False
    """Whether it stands within braces or brackets."""
    others: list[Any] = field(default_factory=list)
    """All events beside it, as far as they mean something."""
    anchors: set[str | None] = field(default_factory=set)
    """Names under which the node, or what it stands in, can be taken again."""
    aliases: set[str | None] = field(default_factory=set)
    alias_on_way: bool = False
    stack: list[Frame] = field(default_factory=list)

    def through(self, events: Iterable[Any]) -> Walk:
        """Walked to the end of the file."""
        self.reached = [0] * len(self.tokens)
        for event in events:
            kind = type(event)
            if kind in _NODES:
                self._node(event, kind)
            elif kind in _ENDS:
                self.stack.pop()
                self.others.append(kind)
            elif kind is yaml.DocumentStartEvent:
                self.documents += 1
        return self

    def _node(self, event: Any, kind: type) -> None:
        level = self.stack[-1].child(event, self.tokens) if self.stack else 0
        if level != OFF:
            self._on_way(event, level)
        if kind is yaml.ScalarEvent:
            self.others.append((event.anchor, event.tag, event.value if event is not self.node else None))
        elif kind is yaml.AliasEvent:
            self.aliases.add(event.anchor)
            self.others.append(event.anchor)
        else:
            self.others.append((kind, event.anchor, event.tag))
            is_flow = bool(event.flow_style) or (bool(self.stack) and self.stack[-1].is_flow)
            self.stack.append(Frame(level, kind is yaml.MappingStartEvent, is_flow))

    def _on_way(self, event: Any, level: int) -> None:
        if level:
            self.reached[level - 1] += 1
        if isinstance(event, yaml.AliasEvent):
            self.alias_on_way = True
        elif event.anchor:
            self.anchors.add(event.anchor)
        if level == len(self.tokens):
            self.node = event
            self.is_flow = self.stack[-1].is_flow
