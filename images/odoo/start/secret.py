"""Passwords: from a file, or from the environment. What is said of one that cannot be used never shows it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

from .refusal import Refused


def secret(environ: Mapping[str, str], *names: str) -> str | None:
    """The value of the one variable that is set; each of `names` may be set as `<name>_FILE`. None: no one is."""
    known = [variable for name in names for variable in (f"{name}_FILE", name)]
    given = [variable for variable in known if environ.get(variable)]
    if len(given) > 1:
        raise Refused(f"{' and '.join(given)}: are both set, expected one of them; take the others out")
    if not given:
        return None
    value = environ[given[0]]
    return _line(given[0], _read(given[0], Path(value)) if given[0].endswith("_FILE") else value)


def _read(variable: str, file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        raise Refused(f"{variable}: {file} is not text in UTF-8; write another secret") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Refused(f"{variable}: {file} cannot be read ({why}); mount it, readable for uid 101") from None


def _line(variable: str, text: str) -> str:
    """Without the line end that editors leave."""
    line = text[:-1] if text.endswith("\n") else text
    if not line:
        raise Refused(f"{variable}: is empty, expected a password; write one")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in line):
        raise Refused(f"{variable}: holds a control character or a line end, expected one line; write another")
    return line
