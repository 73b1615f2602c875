"""Official release archives: downloaded where that is possible, checked against published checksums, unpacked."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from setup.cached import digest, made_once
from setup.places import cache_home
from setup.report import work

SILENCE_S = 8.0
"""A server that says nothing for this long counts as not there."""
CHECKSUMS_DEADLINE_S = 20.0
ARCHIVE_DEADLINE_S = 900.0
ASK_AGAIN_S = 24 * 3600.0
FINAL = (401, 403, 404, 410, 451)
"""Answers that will not change for this version: it is not asked for again."""


class ReleaseUnusable(Exception):
    """The official archive could not be had, or is not what its publisher says it is; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One archive of a GitHub release, and the file beside it that lists checksums."""

    repository: str
    version: str
    archive: str
    checksums: str

    def url(self, file: str) -> str:
        """Address of a file of this release; HYPERCOMPOSE_RELEASES names a mirror that is laid out the same."""
        base = os.environ.get("HYPERCOMPOSE_RELEASES") or "https://github.com"
        return f"{base.rstrip('/')}/{self.repository}/releases/download/v{self.version}/{file}"


def unpacked(release: Release, *, strip: str = "") -> Path:
    """Folder with the archive's content, downloaded at most once; raises ReleaseUnusable."""

    def fill(folder: Path) -> None:
        _unpack(downloaded(release, folder), folder, strip)
        (folder / release.archive).unlink()

    return made_once("release", _key(release), fill)


def downloaded(release: Release, into: Path) -> Path:
    """The verified archive in `into`. A refusal is remembered, so that a closed network costs its wait once a day."""
    _raise_remembered(release)
    archive = into / release.archive
    try:
        with work(f"{release.repository}: asking for the official release {release.version}"):
            expected = checksum_in(_fetch(release.url(release.checksums), CHECKSUMS_DEADLINE_S), release.archive)
        with work(f"{release.repository}: downloading {release.archive}"):
            actual = _save(release.url(release.archive), archive)
    except (OSError, ValueError) as problem:
        reason = _reason(problem)
        _remember(release, reason, final=getattr(problem, "code", 0) in FINAL)
        raise ReleaseUnusable(f"official {release.archive} could not be had ({reason})") from problem
    if actual != expected:
        archive.unlink()
        _remember(release, reason := f"not what its publisher lists: its SHA-256 is {actual}", final=False)
        raise ReleaseUnusable(f"official {release.archive} is {reason}")
    return archive


def checksum_in(listing: bytes, archive: str) -> str:
    """The SHA-256 listed for `archive` in lines `<hex>  <name>`; ValueError when there is none."""
    for line in listing.decode("utf-8", "replace").splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[1].lstrip("*./") == archive and len(fields[0]) == 64:
            return fields[0].lower()
    raise ValueError(f"no checksum is published for {archive}")


def system_and_machine() -> tuple[str, str]:
    """Names that Go programs are released under: linux or darwin, amd64 or arm64."""
    machine = platform.machine().lower()
    return platform.system().lower(), {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _open(url: str) -> Any:
    """A response, or OSError; only web addresses, so that a mirror setting cannot read local files."""
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"{url}: expected an http or https address")
    return urllib.request.urlopen(url, timeout=SILENCE_S)  # noqa: S310  (the scheme is checked above)


def _fetch(url: str, deadline_s: float) -> bytes:
    """A small file, whole, within a deadline: a server that trickles must not hold up set-up."""
    until, text = time.monotonic() + deadline_s, b""
    with _open(url) as response:
        while chunk := response.read1(65536):
            text += chunk
            if time.monotonic() > until or len(text) > 4 << 20:
                raise TimeoutError(f"no whole answer within {deadline_s:.0f} s")
    return text


def _save(url: str, file: Path) -> str:
    """Download to `file`; its SHA-256. A body shorter than announced is an error."""
    until, sha, length = time.monotonic() + ARCHIVE_DEADLINE_S, hashlib.sha256(), 0
    with _open(url) as response, file.open("wb") as out:
        announced = response.headers.get("Content-Length")
        while chunk := response.read1(1 << 20):
            out.write(chunk)
            sha.update(chunk)
            length += len(chunk)
            if time.monotonic() > until:
                raise TimeoutError(f"not finished within {ARCHIVE_DEADLINE_S:.0f} s")
    if announced is not None and length != int(announced):
        raise OSError(f"cut off after {length} of {announced} bytes")
    return sha.hexdigest()


def _unpack(archive: Path, folder: Path, strip: str) -> None:
    """Unpack plain files without the archive's top folder; anything else in it is refused, as is a way outside."""
    with tarfile.open(archive) as tar:
        for entry in tar:
            place = PurePosixPath(entry.name)
            content = tar.extractfile(entry)
            if entry.isdir():
                continue
            if content is None or not entry.isfile() or place.is_absolute() or ".." in place.parts:
                raise ReleaseUnusable(f"official {archive.name} holds {entry.name}, which does not belong there")
            file = folder / (place.relative_to(strip) if place.is_relative_to(strip) else place)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as out:
                shutil.copyfileobj(content, out)
            file.chmod(0o755 if entry.mode & 0o100 else 0o644)


def _reason(problem: Exception) -> str:
    """`403 Forbidden`, or what the network said, in a few words."""
    if isinstance(problem, urllib.error.HTTPError):
        return f"{problem.code} {problem.reason}"
    return str(getattr(problem, "reason", None) or problem) or type(problem).__name__


def _key(release: Release) -> str:
    """Names an archive at one address: another mirror is another chance."""
    return digest([release.url(release.archive)])


def _marker(release: Release) -> Path:
    """File that remembers why this archive could not be had."""
    return cache_home() / "refused" / _key(release)


def _remember(release: Release, reason: str, *, final: bool) -> None:
    """Keep the reason; the first word says whether to ask again."""
    _marker(release).parent.mkdir(parents=True, exist_ok=True)
    _marker(release).write_text(f"{'final' if final else 'later'} {reason}")


def _raise_remembered(release: Release) -> None:
    """Raise ReleaseUnusable when it was refused for good, or could not be reached within the last day."""
    marker = _marker(release)
    if not marker.exists():
        return
    kind, _, reason = marker.read_text().partition(" ")
    if kind == "final" or time.time() - marker.stat().st_mtime < ASK_AGAIN_S:
        raise ReleaseUnusable(f"official {release.archive} could not be had ({reason})")
