"""Bytes of a file as text, and places of the text as places of the bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from provisioning.config_files.errors import EditError

ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "ascii",
    "latin-1",
    *(f"cp{page}" for page in range(1250, 1259)),
)
"""What `encoding` may say beside `auto`. Each of them writes a character the same way wherever it stands."""
_CODECS = {codecs.lookup(name).name for name in ENCODINGS} | {"iso8859-15"}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The text of a file, behind the mark of its encoding."""

    text: str
    codec: str
    mark: bytes

    def byte_of(self, index: int) -> int:
        """The place in the bytes of a character."""
        return len(self.mark) + len(self.text[:index].encode(self.codec))

    def holds(self, text: str) -> bool:
        """Whether the encoding has these characters."""
        try:
            text.encode(self.codec)
        except UnicodeEncodeError:
            return False
        return True


def encoding_problem(encoding: str) -> str | None:
    """What is wrong with a name of an encoding; None when nothing is."""
    if encoding == "auto" or _codec(encoding) in _CODECS:
        return None
    return f"is not one of auto, {', '.join(ENCODINGS)}"


def decoded(content: bytes, encoding: str) -> Decoded:
    """The text of a file whose encoding is known, or told by its mark, by its XML declaration, or UTF-8."""
    if problem := encoding_problem(encoding):
        raise EditError(f"encoding: {encoding} {problem}")
    mark, marked = _mark(content)
    codec = marked if encoding == "auto" and marked else _said(content, encoding)
    if codec == "utf-16":
        codec = marked or "utf-16-le"
    if marked and codec != marked:
        raise EditError(f"encoding: {encoding}, but the file begins with the mark of {marked}: leave encoding out")
    return Decoded(text=_strict(content, len(mark), codec), codec=codec, mark=mark)


def _said(content: bytes, encoding: str) -> str:
    if encoding != "auto":
        return _codec(encoding)
    declared = _DECLARED.match(content, 0, 200)
    if declared is None:
        return "utf-8"
    name = declared[1].decode("ascii")
    if (codec := _codec(name)) not in _CODECS:
        raise EditError(f"encoding: the XML declaration says {name}, expected one of {', '.join(ENCODINGS)}: set it")
    if codec.startswith("utf-16"):
        raise EditError(
            f"encoding: the XML declaration says {name}, but the file is none: set encoding: utf-8, if it is that"
        )
    return codec


def _mark(content: bytes) -> tuple[bytes, str]:
    for mark, codec in _MARKS:
        if content.startswith(mark):
            if codec == "utf-32":
                raise EditError("encoding: the file begins with the mark of UTF-32, which is not supported")
            return mark, codec
    return b"", ""


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def _strict(content: bytes, start: int, codec: str) -> str:
    """Nothing is replaced or dropped on the way: what is decoded here is encoded to the very same bytes again."""
    try:
        text = content[start:].decode(codec)
    except UnicodeDecodeError as error:
        at = start + error.start
        raise EditError(
            f"encoding: byte {at} of the file is no {codec}: set encoding to what it is, e.g. cp1252"
        ) from None
    if "\0" in text:
        raise EditError("encoding: the file has NUL characters: set encoding, e.g. utf-16-le, if it is text at all")
    if text.encode(codec) != content[start:]:
        raise EditError(f"encoding: the file reads as {codec}, but is not written back as it stands: set encoding")
    return text
