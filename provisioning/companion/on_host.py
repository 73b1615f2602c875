"""Runs on a host, as root, fed over SSH: reads files of a mounted share, and replaces them whole or not at all.

Python 3.9 and its own library only. It is asked in JSON, and answers in a line of it.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

BUSY = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY, errno.EAGAIN)
GONE = (errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ENODEV, errno.ECONNRESET, errno.ENOTCONN, errno.EIO)
RIGHTS = (("system.cifs_ntsd", "system.cifs_acl"), ("user.cifs.dosattrib",))
"""What kernel CIFS shows of a file's rights and attributes; the first of each that can be had is taken along."""
BESIDE = ".hypercompose-new"
PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.5, 2.0, 2.5, 2.5)
RECONNECT_PAUSES_S = (0.3, 1.0)
"""A connection that was cut is made anew by the next question; the one that found it cut has failed."""
MOUNTS = Path("/proc/self/mountinfo")


class Refused(Exception):
    """Why something was not done: a kind that the caller knows, and words."""

    def __init__(self, kind: str, words: str) -> None:
        """Take both."""
        super().__init__(words)
        self.kind = kind


class Share:
    """A share where it is mounted."""

    def __init__(self, mount: str, source: str) -> None:
        """Make sure that it is this share."""
        self.mount = mount
        if _source(mount).casefold() != source.casefold():
            raise Refused("away", f"{source} is not mounted at {mount}")

    def place(self, path: str) -> Path:
        """Where a file is; no part of its path may lead anywhere else."""
        parts, found = path.split("/"), Path(self.mount)
        if any(part in ("", ".", "..") for part in parts):
            raise Refused("path", "leaves the share")
        for part in parts:
            found = found / part
            if found.is_symlink():
                raise Refused("path", f"{part} is a link; name the file itself")
        return found

    def read(self, path: str, largest: int) -> bytes:
        """The bytes of a file."""
        place = self.place(path)
        if not place.exists() and _beside(place).exists():
            _swap(_beside(place), place)  # what an earlier run could not end
        found = place.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Refused("path", "is no file")
        if found.st_size > largest:
            raise Refused("large", f"has {found.st_size} bytes, expected at most {largest}")
        content: bytes = _patiently(lambda: _whole(place))
        return content

    def replace(self, path: str, content: bytes, expected: str) -> str:
        """New bytes where exactly the expected ones stand. Old bytes or new ones, whatever happens on the way."""
        place = self.place(path)
        if not place.stat().st_mode & stat.S_IWUSR:
            raise Refused("read-only", "is read-only; take that attribute off on Windows")
        current = self.read(path, 1 << 30)
        if current == content:
            return ""  # by a try whose connection was cut before it could say so
        _refuse_changed(current, expected)
        beside = _beside(place)
        try:
            _write(beside, content)
            note = _copy_rights(place, beside)
            self._expect(path, expected)
            _swap(beside, place)
        finally:
            if place.exists():
                beside.unlink(missing_ok=True)
        if self.read(path, len(content)) != content:
            raise Refused("lost", "reads differently than it was written")
        return note

    def put(self, path: str, content: bytes) -> None:
        """A file of our own."""
        place = self.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(place)
        try:
            _write(beside, content)
            _patiently(lambda: beside.replace(place))
        finally:
            beside.unlink(missing_ok=True)

    def claim(self, path: str, content: bytes, others: str) -> None:
        """A record of our own; taken back where others have claimed something since their records were read.

        Written first and looked around then: of two at the same time, at least one sees the other.
        """
        place = self.place(path)
        before = place.read_bytes() if place.exists() else None
        self.put(path, content)
        found = {
            other: text for other, text in self.records(_top(path), len(content) + (1 << 24)).items() if other != path
        }
        if digest_of(found) == others:
            return
        if before is None:
            self.remove(path)
        else:
            self.put(path, before)
        raise Refused("lost", "another link has claimed something meanwhile")

    def copy(self, path: str, to: str, expected: str) -> None:
        """A file as it is, kept elsewhere."""
        content = self._expect(path, expected)
        self.put(to, content)
        if hashed(self.read(to, len(content))) != expected:
            raise Refused("lost", "its copy reads differently than it was written")

    def remove(self, path: str) -> None:
        """A file of our own, and the folders that are empty then."""
        place = self.place(path)
        place.unlink(missing_ok=True)
        for folder in list(place.parents)[: path.count("/")]:
            try:
                folder.rmdir()
            except OSError:
                break

    def records(self, folder: str, largest: int) -> dict[str, str]:
        """Text by path of every record below a folder of ours."""
        files = sorted(self.place(folder).glob("*/*.json"))
        paths = [file.relative_to(self.mount).as_posix() for file in files]
        return {path: self.read(path, largest).decode("utf-8", "replace") for path in paths}

    def _expect(self, path: str, expected: str) -> bytes:
        content = self.read(path, 1 << 30)
        _refuse_changed(content, expected)
        return content


def hashed(content: bytes) -> str:
    """What tells contents apart."""
    return hashlib.sha256(content).hexdigest()


def _refuse_changed(content: bytes, expected: str) -> None:
    if hashed(content) != expected:
        raise Refused("lost", "was changed by somebody else meanwhile")


def digest_of(records: Mapping[str, str]) -> str:
    """What tells sets of records apart."""
    return hashed(json.dumps(sorted(records.items())).encode())


def _top(path: str) -> str:
    """The folder of all records, two above one of them."""
    return path.rsplit("/", 2)[0]


def _source(mount: str) -> str:
    """What is mounted exactly there; looking into it mounts it."""
    (Path(mount) / ".").stat()
    found = ""
    for line in MOUNTS.read_text("utf-8", "surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        kind, source = after.split(" ")[:2]
        if _plain(before.split(" ")[4]) == mount and kind != "autofs":
            found = _plain(source).replace("\\", "/")
    return found


def _plain(text: str) -> str:
    """The kernel writes blanks and the like as octal numbers."""
    for code in ("040", "011", "012", "134"):
        text = text.replace("\\" + code, chr(int(code, 8)))
    return text


def _patiently(work: Callable[[], Any], pauses: Sequence[float] | None = None, passing: Sequence[int] = BUSY) -> Any:
    """What others hold open is tried again for a while."""
    for pause in PAUSES_S if pauses is None else pauses:
        try:
            return work()
        except OSError as error:
            if error.errno not in passing:
                raise
            time.sleep(pause)
    return work()


def _reconnecting(work: Callable[[], Any]) -> Any:
    """Once more, and again, where the connection was cut."""
    return _patiently(work, RECONNECT_PAUSES_S, GONE)


def _swap(beside: Path, place: Path) -> None:
    """The new file in the place of the old one.

    Somebody who reads the old one and lets others delete it keeps its name until he closes it: the kernel has deleted
    it by then and cannot rename yet (measured). The new file waits beside it, for a while here, then for the next run.
    """
    try:
        _patiently(lambda: beside.replace(place))
    except OSError:
        if place.exists():
            raise
        try:
            _patiently(lambda: beside.replace(place), PAUSES_S, (*BUSY, errno.ENOENT, errno.EEXIST))
        except OSError as error:
            raise Refused("pending", f"its new content waits beside it as {beside.name}") from error


def _beside(place: Path) -> Path:
    return place.with_name(place.name + BESIDE)


def _whole(place: Path) -> bytes:
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def _write(place: Path, content: bytes) -> None:
    place.unlink(missing_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)


def _copy_rights(place: Path, to: Path) -> str:
    """Rights and attributes on Windows; what to tell where they could be read and not be written."""
    notes = []
    for names in RIGHTS:
        refused = []
        for name in names:
            try:
                found = os.getxattr(place, name)
            except OSError:
                continue
            try:
                os.setxattr(to, name, found)
            except OSError as error:
                refused.append(f"{name}: {error.strerror}")
                continue
            refused = []
            break
        notes += refused
    return "; ".join(notes)


def _told(error: OSError | Refused) -> dict[str, str]:
    """A failure as kind and words."""
    if isinstance(error, Refused):
        return {"kind": error.kind, "words": str(error)}
    kinds = {errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.ENOSPC: "full", errno.EDQUOT: "full"}
    kinds.update(dict.fromkeys(BUSY, "busy"))
    kinds.update(dict.fromkeys(GONE, "away"))
    return {"kind": kinds.get(error.errno or 0, "failed"), "words": error.strerror or str(error)}


def look(share: Share, request: Mapping[str, Any]) -> dict[str, Any]:
    """Files, each with its bytes or with why not, and the records of all links."""
    files: dict[str, dict[str, str]] = {}
    for path in request["files"]:
        try:
            content = _read(share, path, request["largest"])
            files[path] = {"content": base64.b64encode(content).decode(), "sha256": hashed(content)}
        except (OSError, Refused) as error:
            files[path] = _told(error)
            if files[path]["kind"] == "away":
                raise
    records = _reconnecting(lambda: share.records(request["records"], request["largest"]))
    return {"files": files, "records": records}


def _read(share: Share, path: str, largest: int) -> bytes:
    content: bytes = _reconnecting(lambda: share.read(path, largest))
    return content


def change(share: Share, request: Mapping[str, Any]) -> dict[str, Any]:
    """One thing after the other; the first that fails is the last."""
    notes: dict[str, str] = {}
    for number, step in enumerate(request["changes"]):
        path = step[1]
        try:
            notes[path] = _reconnecting(partial(_one, share, *step))
        except (OSError, Refused) as error:
            return {"done": number, "failed": {**_told(error), "path": path}}
    return {"done": len(request["changes"]), "notes": {path: note for path, note in notes.items() if note}}


def _one(share: Share, what: str, path: str, more: Mapping[str, str]) -> str:
    if what == "replace":
        return share.replace(path, base64.b64decode(more["content"]), more["expected"])
    if what == "copy":
        share.copy(path, more["to"], more["expected"])
    elif what == "claim":
        share.claim(path, base64.b64decode(more["content"]), more["others"])
    elif what == "put":
        share.put(path, base64.b64decode(more["content"]))
    else:
        share.remove(path)
    return ""


def main(request: Mapping[str, Any]) -> None:
    """Answer one request."""
    try:
        share = _reconnecting(lambda: Share(request["mount"], request["share"]))
        answer = (look if request["do"] == "look" else change)(share, request)
    except (OSError, Refused) as error:
        answer = {"failed": {**_told(error), "path": ""}}
    print(json.dumps(answer))
