"""Find a value, replace it, put it back: whatever the format, all bytes beside it are those of before."""

from __future__ import annotations

from provisioning.config_files.encoding import Decoded, decoded
from provisioning.config_files.errors import EditError
from provisioning.config_files.formats import BY_NAME, Found, Selector, selector_problem
from provisioning.config_files.span import Place


def find(content: bytes, selector: Selector, encoding: str = "auto") -> Found:
    """The value that the selector names. EditError: none, several, not a single value, or a file that is not valid."""
    place = _place(decoded(content, encoding), selector)
    return Found(place.value, place.raw)


def replace(content: bytes, selector: Selector, value: str, encoding: str = "auto") -> bytes:
    """The content with another value there. The value that stands there already gives the content itself."""
    if problem := _value_problem(value):
        raise EditError(f"{selector.at}: the new value {problem}")
    file = decoded(content, encoding)
    place = _place(file, selector)
    if place.value == value:
        return content
    raw = BY_NAME[selector.format].spell(selector.at, place, value, file.holds)
    edited = _with(content, file, place, raw, selector)
    if _after(edited, file, place, raw, selector, encoding).value != value:
        raise EditError(f"{selector.at}: the new value is not read back as it is: it cannot be written there")
    return edited


def put_back(content: bytes, selector: Selector, raw: str, encoding: str = "auto") -> bytes:
    """The content with a text there that stood there before: `Found.raw` of that time."""
    file = decoded(content, encoding)
    place = _place(file, selector)
    if place.raw == raw:
        return content
    edited = _with(content, file, place, raw, selector)
    _after(edited, file, place, raw, selector, encoding)
    return edited


def _place(file: Decoded, selector: Selector) -> Place:
    if problem := selector_problem(selector.format, selector.at):
        raise EditError(f"{selector.at or 'at'}: {problem}")
    place = BY_NAME[selector.format].locate(file.text, selector.at)
    if problem := _value_problem(place.value):
        raise EditError(f"{selector.at}: the value that stands there {problem}")
    return place


def _value_problem(value: str) -> str | None:
    if "\0" in value:
        return "holds a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    return None


def _with(content: bytes, file: Decoded, place: Place, raw: str, selector: Selector) -> bytes:
    try:
        new = raw.encode(file.codec)
    except UnicodeEncodeError:
        raise EditError(f"{selector.at}: the new value has a character that {file.codec} lacks") from None
    start = file.byte_of(place.start)
    return content[:start] + new + content[start + len(place.raw.encode(file.codec)) :]


def _after(edited: bytes, file: Decoded, before: Place, raw: str, selector: Selector, encoding: str) -> Place:
    """The place as a reader finds it now. What reaches out of its place, or turns the file, is refused here."""
    now = decoded(edited, encoding)
    try:
        place = _place(now, selector)
    except EditError as error:
        why = str(error).removeprefix(f"{selector.at}: ")
        raise EditError(f"{selector.at}: the new value would break the file: {why}") from None
    same = (place.start, place.raw, place.around) == (before.start, raw, before.around)
    if not same or (now.codec, now.mark) != (file.codec, file.mark):
        raise EditError(f"{selector.at}: the new value would change more of the file than itself")
    return place
