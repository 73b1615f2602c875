"""What runs on the host: old bytes or new ones, whatever happens, and nothing outside the share."""

from __future__ import annotations

import base64
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.companion import on_host
from provisioning.companion.on_host import BESIDE, Refused, hashed

OLD, NEW = b"old\r\n" * 3, b"new bytes\r\n" * 4


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> on_host.Share:
    monkeypatch.setattr(on_host, "_source", lambda mount: "//h/M")
    monkeypatch.setattr(on_host, "PAUSES_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(on_host, "RECONNECT_PAUSES_S", (0.0, 0.0))
    (tmp_path / "A").mkdir()
    (tmp_path / "A/x.json").write_bytes(OLD)
    return on_host.Share(str(tmp_path), "//H/m")


def file(share: on_host.Share) -> Path:
    return Path(share.mount) / "A/x.json"


def names(share: on_host.Share) -> list[str]:
    return sorted(each.name for each in (Path(share.mount) / "A").iterdir())


def test_a_file_is_replaced_whole(share: on_host.Share) -> None:
    assert share.replace("A/x.json", NEW, hashed(OLD)) == ""
    assert file(share).read_bytes() == NEW and names(share) == ["x.json"]


def test_a_file_that_was_changed_meanwhile_is_left(share: on_host.Share, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="changed by somebody else"):
        share.replace("A/x.json", NEW, hashed(b"other"))
    write = on_host._write

    def and_somebody_else(place: Path, content: bytes) -> None:
        write(place, content)
        file(share).write_bytes(b"theirs")

    monkeypatch.setattr(on_host, "_write", and_somebody_else)
    with pytest.raises(Refused, match="changed by somebody else") as refused:
        share.replace("A/x.json", NEW, hashed(OLD))
    assert refused.value.kind == "lost"
    assert file(share).read_bytes() == b"theirs" and names(share) == ["x.json"]


def busy(times: int) -> Callable[[str, str], None]:
    left = [errno.EACCES, errno.EBUSY, errno.EPERM, errno.ETXTBSY] * 9
    replace = os.replace

    def refusing(source: str, target: str) -> None:
        nonlocal times
        if times:
            times -= 1
            raise OSError(left.pop(), "in use")
        replace(source, target)

    return refusing


def test_a_file_that_somebody_holds_is_tried_again(share: on_host.Share, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", busy(3))
    share.replace("A/x.json", NEW, hashed(OLD))
    assert file(share).read_bytes() == NEW


def test_a_file_that_stays_held_fails_with_the_old_bytes_and_no_litter(
    share: on_host.Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", busy(99))
    found = on_host.change(share, {"changes": [["replace", "A/x.json", packed(NEW, OLD)]]})
    assert found["done"] == 0 and found["failed"]["kind"] == "busy" and found["failed"]["path"] == "A/x.json"
    assert file(share).read_bytes() == OLD and names(share) == ["x.json"]


def packed(content: bytes, expected: bytes) -> dict[str, str]:
    return {"content": base64.b64encode(content).decode(), "expected": hashed(expected)}


@pytest.mark.parametrize("at", range(len(NEW) + 1))
def test_cut_at_any_byte_the_old_file_stands_and_the_next_run_cleans_up(share: on_host.Share, at: int) -> None:
    process = os.fork()
    if process == 0:
        fdopen = os.fdopen

        class Cut:
            """Writes so many bytes, then the machine is gone."""

            def __init__(self, handle: int, mode: str) -> None:
                self.file = fdopen(handle, mode, buffering=0)

            def __enter__(self) -> Cut:
                return self

            def __exit__(self, *error: object) -> None:
                self.file.close()

            def write(self, content: bytes) -> None:
                self.file.write(content[:at])
                os._exit(0)

            def read(self) -> bytes:
                return bytes(self.file.read())

        os.fdopen = Cut  # type: ignore[assignment]
        share.replace("A/x.json", NEW, hashed(OLD))
        os._exit(1)
    assert os.waitpid(process, 0)[1] == 0
    assert file(share).read_bytes() == OLD and names(share) == ["x.json", f"x.json{BESIDE}"]
    share.replace("A/x.json", NEW, hashed(OLD))
    assert file(share).read_bytes() == NEW and names(share) == ["x.json"]


def test_a_full_disk_leaves_the_old_bytes_and_no_litter(share: on_host.Share, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = on_host.change(share, {"changes": [["replace", "A/x.json", packed(NEW, OLD)]]})
    assert found["failed"]["kind"] == "full"
    assert file(share).read_bytes() == OLD and names(share) == ["x.json"]


def test_a_read_only_file_is_refused(share: on_host.Share) -> None:
    file(share).chmod(0o444)
    with pytest.raises(Refused, match="take that attribute off on Windows"):
        share.replace("A/x.json", NEW, hashed(OLD))


@pytest.mark.parametrize("path", ["", "../x", "A/../../x", "/etc/passwd", "A//x.json", "A/./x.json", "A/.."])
def test_no_path_leaves_the_share(share: on_host.Share, path: str) -> None:
    for work in (lambda: share.read(path, 99), lambda: share.put(path, b""), lambda: share.remove(path)):
        with pytest.raises(Refused, match="leaves the share"):
            work()


@pytest.mark.parametrize("link", ["A/x.json", "A"])
def test_links_are_not_followed(share: on_host.Share, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.json").write_bytes(b"secret")
    mount = tmp_path / "mount"
    (mount / "A").mkdir(parents=True)
    place = mount / link
    if link == "A":
        place.rmdir()
    place.symlink_to(outside if link == "A" else outside / "x.json")
    share.mount = str(mount)
    for work in (lambda: share.read("A/x.json", 99), lambda: share.replace("A/x.json", b"", hashed(b"secret"))):
        with pytest.raises(Refused, match="is a link"):
            work()
    assert (outside / "x.json").read_bytes() == b"secret"


def test_what_is_no_file_or_too_large_is_refused(share: on_host.Share) -> None:
    with pytest.raises(Refused, match="is no file"):
        share.read("A", 99)
    with pytest.raises(Refused, match="15 bytes, expected at most 3"):
        share.read("A/x.json", 3)


def test_rights_that_the_mount_shows_are_taken_along(share: on_host.Share, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"system.cifs_acl": b"acl", "user.cifs.dosattrib": b"\x02"}
    given: dict[str, bytes] = {}

    def getxattr(place: str, name: str) -> bytes:
        if name not in here:
            raise OSError(errno.ENODATA, "no data")
        return here[name]

    def setxattr(place: str, name: str, value: bytes) -> None:
        if name == "user.cifs.dosattrib":
            raise OSError(errno.EPERM, "Operation not permitted")
        given[name] = value

    monkeypatch.setattr(os, "getxattr", getxattr)
    monkeypatch.setattr(os, "setxattr", setxattr)
    assert share.replace("A/x.json", NEW, hashed(OLD)) == "user.cifs.dosattrib: Operation not permitted"
    assert given == {"system.cifs_acl": b"acl"}


def test_records_and_copies_are_ours_alone(share: on_host.Share) -> None:
    share.copy("A/x.json", "hypercompose/backups/1/A/x.json", hashed(OLD))
    share.put("hypercompose/links/a.b/one.json", "{ü}".encode())
    share.put("hypercompose/links/a.b/two.txt", b"no record")
    assert share.records("hypercompose/links", 99) == {"hypercompose/links/a.b/one.json": "{ü}"}
    share.remove("hypercompose/links/a.b/two.txt")
    share.remove("hypercompose/links/a.b/one.json")
    share.remove("hypercompose/links/a.b/one.json")
    assert [each.name for each in (Path(share.mount) / "hypercompose").iterdir()] == ["backups"]
    assert share.records("hypercompose/links", 99) == {}


def test_a_look_tells_what_each_file_lacks(share: on_host.Share) -> None:
    found = on_host.look(share, {"files": ["A/x.json", "A/none"], "largest": 99, "records": "hypercompose/links"})
    assert base64.b64decode(found["files"]["A/x.json"]["content"]) == OLD
    assert found["files"]["A/none"]["kind"] == "missing" and found["records"] == {}


def test_a_companion_that_is_away_ends_the_look(share: on_host.Share, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(path: str, largest: int) -> bytes:
        raise OSError(errno.EHOSTDOWN, "Host is down")

    monkeypatch.setattr(share, "read", away)
    with pytest.raises(OSError, match="Host is down"):
        on_host.look(share, {"files": ["A/x.json"], "largest": 99, "records": "hypercompose/links"})


def test_main_answers_a_failure_as_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    on_host.main({"mount": str(tmp_path), "share": "//h/M", "do": "look"})
    assert '"kind": "away"' in capsys.readouterr().out


def test_blanks_in_the_kernels_list_of_mounts_are_read() -> None:
    assert on_host._plain("//h/My\\040Share\\134x") == "//h/My Share\\x"


def test_a_connection_that_was_cut_is_made_anew(share: on_host.Share, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, cuts = Path.replace, [errno.EIO, errno.EHOSTDOWN]

    def cut(source: Path, target: Path) -> Path:
        if len(cuts) == 1:
            replace(source, target)  # it was done, and nobody heard of it
        if cuts:
            raise OSError(cuts.pop(0), "cut")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", cut)
    found = on_host.change(share, {"changes": [["replace", "A/x.json", packed(NEW, OLD)]]})
    assert found == {"done": 1, "notes": {}} and cuts == []
    assert file(share).read_bytes() == NEW and names(share) == ["x.json"]
    cuts += [errno.EIO] * 3
    found = on_host.change(share, {"changes": [["replace", "A/x.json", packed(OLD, NEW)]]})
    assert found["failed"]["kind"] == "away" and names(share) == ["x.json"]


@pytest.mark.parametrize("closes_after", [2, 99])
def test_an_old_file_that_somebody_still_reads_after_it_was_deleted_loses_nothing(
    share: on_host.Share, monkeypatch: pytest.MonkeyPatch, closes_after: int
) -> None:
    replace, tries = Path.replace, 0

    def pending(source: Path, target: Path) -> Path:
        nonlocal tries
        tries += 1
        if tries <= closes_after:
            target.unlink(missing_ok=True)  # as kernel CIFS does, and then cannot rename
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", pending)
    found = on_host.change(share, {"changes": [["replace", "A/x.json", packed(NEW, OLD)]]})
    if closes_after == 2:
        assert found == {"done": 1, "notes": {}} and names(share) == ["x.json"]
        return
    assert found["failed"]["kind"] == "pending" and names(share) == [f"x.json{BESIDE}"]
    monkeypatch.setattr(Path, "replace", replace)
    assert share.read("A/x.json", 999) == NEW and names(share) == ["x.json"]
