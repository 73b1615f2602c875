"""Folders that are made once: keyed by what they are made of, complete or absent, safe for two set-ups at once."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from setup.places import cache_home
from setup.report import say


def digest(texts: Iterable[str], files: Iterable[Path] = ()) -> str:
    """Name of a build: changes with any input, and with the kind of machine that runs the result."""
    sha = hashlib.sha256(f"{platform.system()} {platform.machine()}".encode())
    for text in texts:
        sha.update(b"\0text\0" + text.encode())
    for file in sorted(files):
        sha.update(b"\0file\0" + file.name.encode() + b"\0" + file.read_bytes())
    return sha.hexdigest()[:20]


def made_once(part: str, key: str, make: Callable[[Path], None]) -> Path:
    """Folder `<cache>/<part>/<key>`, filled by `make` unless it is there already."""
    folder = cache_home() / part / key
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{key}.lock"), f"{part}: waiting for another set-up that makes it"):
        if not folder.is_dir():
            _fill(folder, make)
    return folder


def _fill(folder: Path, make: Callable[[Path], None]) -> None:
    """Make it beside its place, then rename: a killed build leaves nothing that looks finished."""
    prefix = f".making-{folder.name}-"
    for leftover in folder.parent.glob(prefix + "*"):
        shutil.rmtree(leftover, ignore_errors=True)
    room = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        make(room)
        room.chmod(0o755)
        room.rename(folder)
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def locked(file: Path, waiting: str) -> Iterator[None]:
    """Hold an exclusive lock on `file`; says `waiting` when somebody else has it. The kernel frees it on any death."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
