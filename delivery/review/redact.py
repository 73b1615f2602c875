"""First lines of an error, without secrets: those that are known, and whatever looks like one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

MASK = "***"
LINES, LONGEST = 6, 300
SHORTEST_SECRET = 4
SECRET_NAME = re.compile(r"password|passwd|passphrase|token|secret|credential|api_?key|private", re.IGNORECASE)
FILE_NAME = re.compile(r"_FILE$|_PATH$|_DIR$")
PATTERNS = tuple(
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        (r"-----BEGIN [^-]*-----.*?(-----END [^-]*-----|\Z)", re.DOTALL, MASK),
        (r"(?i)\b(bearer|basic|pveapitoken[= ])\s*\S+", 0, rf"\1 {MASK}"),
        (r"(?<=://)[^/\s@]+@", 0, f"{MASK}@"),
        # as `SettingsError` writes: `path: value, expected …`
        (r"(?m)(?<=: )(?:(?!: ).)*?(?=, expected )", 0, MASK),
        (r'"(?!urn:pulumi:)(?:[^"\\\n]|\\.)*"', 0, f'"{MASK}"'),
        (
            r"(?i)([\w.-]*(?:password|passwd|passphrase|token|secret|api_?key)[\w.-]*['\"]?\s*[:=]\s*)\S+",
            0,
            rf"\1{MASK}",
        ),
        (r"\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9+_=]{20,}", 0, MASK),
    )
)


class Redactor:
    """Takes secrets out of texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take secrets that are known, in the form in which programs get them."""
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST_SECRET}
        self._known = sorted(forms, key=len, reverse=True)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Redactor:
        """Knows the values of all variables that are named like secrets, and what the files hold that they name."""
        named = {name: value for name, value in environ.items() if SECRET_NAME.search(name)}
        files = [_content(Path(value)) for name, value in named.items() if FILE_NAME.search(name)]
        values = [value for name, value in named.items() if not FILE_NAME.search(name) and not value.isdigit()]
        return cls([*values, *files])

    def __call__(self, text: str) -> str:
        """The text without known secrets and without what looks like one or like somebody's value."""
        for form in self._known:
            text = text.replace(form, MASK)
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def first_lines(texts: Iterable[str], redactor: Redactor) -> Iterator[str]:
    """At most `LINES` lines that say something, redacted as a whole before they are split."""
    lines = (line.strip() for text in texts for line in redactor(text).splitlines())
    for number, line in enumerate(filter(None, lines)):
        if number == LINES:
            return
        yield line if len(line) <= LONGEST else line[:LONGEST] + "…"


def _content(file: Path) -> str:
    """A file's text; nothing where it cannot be read."""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _forms(secret: str) -> Iterator[str]:
    """As it is, line by line, and as URLs, JSON and HTTP's basic login carry it."""
    yield from (secret, *secret.splitlines(), quote(secret, safe=""))
    yield from (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    yield base64.b64encode(secret.encode()).decode()
