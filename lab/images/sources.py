"""Package sources of the guests: this machine's own Debian sources with the guests' suite in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from setup.report import SetupError

SUITE = "trixie"
MIRROR_VARIABLE = "HYPERCOMPOSE_DEBIAN_MIRROR"
_KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
_DEBIAN_SUITE = re.compile(r"(?:oldoldstable|oldstable|stable|testing|buster|bullseye|bookworm|trixie|forky)")


@dataclass(frozen=True)
class Source:
    """One line of apt's sources."""

    uri: str
    suite: str
    signed_by: str | None = None

    def line(self) -> str:
        """In the one-line format."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {option}{self.uri} {self.suite} main"


def guest_sources(apt: Path = Path("/etc/apt"), *, suite: str = SUITE) -> list[str]:
    """Lines of a sources.list for the guests' or another suite; SetupError when this machine knows no Debian mirror."""
    if mirror := os.environ.get(MIRROR_VARIABLE):
        return [Source(mirror, suite, _keyring()).line()]
    lines = [source.line() for source in _in_suite(suite, machine_sources(apt))]
    if not any(f" {suite} " in line for line in lines):
        raise SetupError(
            f"guest images: apt on this machine names no Debian mirror; set {MIRROR_VARIABLE} to the URL of one."
        )
    return list(dict.fromkeys(lines))


def machine_sources(apt: Path) -> Iterator[Source]:
    """What apt on this machine fetches packages from, in both of its formats."""
    for file in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))):
        if file.is_file():
            yield from _one_line(file.read_text())
    for file in sorted((apt / "sources.list.d").glob("*.sources")):
        yield from _deb822(file.read_text())


def _in_suite(wanted: str, sources: Iterable[Source]) -> Iterator[Source]:
    """`bookworm-updates` becomes `trixie-updates`; what is not a Debian release is left out."""
    for source in sources:
        suite, found = _DEBIAN_SUITE.subn(wanted, source.suite, count=1)
        if found and suite in (wanted, f"{wanted}-updates", f"{wanted}-security"):
            yield Source(source.uri, suite, source.signed_by or _keyring())


def _one_line(text: str) -> Iterator[Source]:
    pattern = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<parts>.+)$", re.M)
    for match in pattern.finditer(text):
        if "main" in match["parts"].split():
            signed = re.search(r"signed-by=(\S+)", match["options"] or "")
            yield Source(match["uri"], match["suite"], signed[1] if signed else None)


def _deb822(text: str) -> Iterator[Source]:
    for paragraph in re.split(r"\n\s*\n", text):
        lines = (line for line in paragraph.splitlines() if not line.startswith("#"))
        fields = dict(line.split(":", 1) for line in lines if re.match(r"[A-Za-z-]+:", line))
        if "deb" not in fields.get("Types", "").split() or "main" not in fields.get("Components", "").split():
            continue
        signed = fields.get("Signed-By", "").strip() or None
        for uri in fields.get("URIs", "").split():
            yield from (Source(uri, suite, signed) for suite in fields.get("Suites", "").split())


def _keyring() -> str | None:
    return next((keyring for keyring in _KEYRINGS if Path(keyring).exists()), None)
