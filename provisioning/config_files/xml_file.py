"""XML by path and attribute. Expat reads the file and tells the bytes; comments, blanks and quotes stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from provisioning.config_files import xml_path
from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, only, spelled

_TAG = re.compile(r"<[^\s/>]+")
_ATTRIBUTE = re.compile(r"""\s+(?P<name>[^\s=]+)\s*=\s*(?P<quote>["'])(?P<raw>.*?)(?P=quote)""", re.DOTALL)
_END = re.compile(r"\s*/?>")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


def problem(at: str) -> str | None:
    """What is wrong with a path."""
    if xml_path.parsed(at) is None:
        return "expected a path of elements from the root on, e.g. /configuration/appSettings/add[@key='Url']/@value"
    return None


def locate(text: str, at: str) -> Place:
    """The attribute, or the text of the element, that the path leads to."""
    path = xml_path.parsed(at)
    if path is None:
        raise EditError(f"{at}: is no path")
    content = text.encode()
    start, end = only(_Search(path, at).through(content), at, "what the path leads to")
    begin = len(content[:start].decode())
    if path.attribute:
        return _attribute(text, begin, path.attribute, at)
    return _text(text, begin, begin + len(content[start:end].decode()), at)


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value with what XML needs escaped where it stands."""
    if _FORBIDDEN.search(value):
        raise EditError(f"{at}: the new value has a control character, which XML has no way to write")
    if place.style == "cdata":
        inner = value.replace(_CDATA_END, f"]]{_CDATA_END}{_CDATA}>")
        return f"{_CDATA}{spelled(inner, holds, _outside, chr(13))}{_CDATA_END}"
    special = "&<>\r" if place.style == "text" else f"&<\t\n\r{place.style}"
    return spelled(value, holds, _escape, special)


def _escape(char: str) -> str:
    return _ENTITIES.get(char) or (f"&#{ord(char)};" if char.isascii() else f"&#x{ord(char):X};")


def _outside(char: str) -> str:
    """A character that has no place inside of CDATA."""
    return f"{_CDATA_END}{_escape(char)}{_CDATA}"


def _attribute(text: str, begin: int, name: str, at: str) -> Place:
    match = only([match for match in _attributes(text, begin) if match["name"] == name], at, f"the attribute {name}")
    value = _read(f"<v a={match['quote']}{match['raw']}{match['quote']}/>", at)
    start, end = match.span("raw")
    return Place(start=start, end=end, value=value, raw=match["raw"], style=match["quote"])


def _text(text: str, begin: int, end: int, at: str) -> Place:
    attributes = list(_attributes(text, begin))
    name = _TAG.match(text, begin)
    last = attributes[-1] if attributes else name
    tag = _END.match(text, last.end()) if last else None
    if tag is None or tag[0].endswith("/>"):
        raise EditError(f"{at}: is an empty element, expected <name></name>, which has room for a text")
    raw = text[tag.end() : end]
    style = "cdata" if raw.startswith(_CDATA) and raw.endswith(_CDATA_END) else "text"
    return Place(start=tag.end(), end=end, value=_read(f"<v>{raw}</v>", at), raw=raw, style=style)


def _attributes(text: str, begin: int) -> Iterator[re.Match[str]]:
    """Those of a start tag, which is well-formed."""
    match = _TAG.match(text, begin)
    while match and (match := _ATTRIBUTE.match(text, match.end())):
        yield match


def _read(element: str, at: str) -> str:
    """What an element by itself says, as the reader of XML has it: entities of a document's own are unknown here."""
    reader, said = expat.ParserCreate("utf-8"), _Said(at)
    reader.StartElementHandler = said.start
    reader.CharacterDataHandler = said.parts.append
    reader.CommentHandler = reader.ProcessingInstructionHandler = said.beside
    try:
        reader.Parse(element.encode(), True)
    except expat.ExpatError:
        raise EditError(f"{at}: the value uses an entity of the document's own, expected the value itself") from None
    return "".join(said.parts)


@dataclass
class _Said:
    """The attribute and the text of one element."""

    at: str
    parts: list[str] = field(default_factory=list)
    elements: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """The element itself; no other may stand in it."""
        self.elements += 1
        self.parts.extend(attributes.values())
        if self.elements > 1:
            raise EditError(f"{self.at}: has elements in it, expected the path of one value")

    def beside(self, *_: str) -> None:
        """A comment or an instruction would be lost with the text."""
        raise EditError(f"{self.at}: has a comment or an instruction within the text, expected text alone")


@dataclass
class _Search:
    """Walks the elements and notes the bytes of those that the path leads to."""

    path: xml_path.Path
    at: str
    depth: int = 0
    on_path: int = 0
    """How many elements, from the root on, are on the path."""
    opened: int = -1
    counts: list[xml_path.Count] = field(default_factory=list)
    found: list[tuple[int, int]] = field(default_factory=list)

    def through(self, content: bytes) -> list[tuple[int, int]]:
        """Start of the start tag and of the end tag of each."""
        self.reader = expat.ParserCreate("utf-8")
        self.reader.specified_attributes = True
        self.reader.StartElementHandler = self._start
        self.reader.EndElementHandler = self._end
        self.reader.StartDoctypeDeclHandler = self._doctype
        self.counts = [xml_path.Count(self.path.steps[0])]
        try:
            self.reader.Parse(content, True)
        except expat.ExpatError as error:
            raise EditError(f"{self.at}: the file is no valid XML: {error}") from None
        return self.found

    def _doctype(self, *_: object) -> None:
        # With a handler for what nobody handles, an entity of the document's own is told, not opened.
        self.reader.DefaultHandler = lambda _: None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth != self.on_path + 1 or self.depth > len(self.path.steps):
            return
        if not self.counts[self.depth - 1].takes(name, attributes):
            return
        self.on_path = self.depth
        if self.depth < len(self.path.steps):
            self.counts[self.depth :] = [xml_path.Count(self.path.steps[self.depth])]
        elif not self.path.attribute or self.path.attribute in attributes:
            self.opened = self.reader.CurrentByteIndex

    def _end(self, _: str) -> None:
        if self.depth == self.on_path:
            if self.opened >= 0:
                self.found.append((self.opened, self.reader.CurrentByteIndex))
            self.opened = -1
            self.on_path -= 1
        self.depth -= 1
