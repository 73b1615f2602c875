"""Official archives: verified or not used; a closed or broken site costs little and says why."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from setup import releases
from setup.places import cache_home
from setup.releases import ReleaseUnusable, checksum_in, unpacked
from tests.setup.releases_server import (
    RELEASE,
    Answer,
    Server,
    content,
    cut_off,
    listing,
    refused,
    serving,
    silent,
    tar,
    trickling,
)

ARCHIVE = tar({"pulumi/pulumi": "#!/bin/sh\n", "pulumi/pulumi-language-python": "#!/bin/sh\n"})


@contextmanager
def site(monkeypatch: pytest.MonkeyPatch, checksums: Answer, archive: Answer) -> Iterator[Server]:
    """The release site answers so."""
    with serving({RELEASE.checksums: checksums, RELEASE.archive: archive}) as server:
        monkeypatch.setenv("HYPERCOMPOSE_RELEASES", f"http://127.0.0.1:{server.server_port}/")
        yield server


def left_behind() -> list[Path]:
    """Anything unpacked or half downloaded."""
    return [f for f in (cache_home() / "release").rglob("*") if f.suffix != ".lock"]


def test_a_verified_archive_is_unpacked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with site(monkeypatch, content(listing(ARCHIVE)), content(ARCHIVE)) as server:
        folder = unpacked(RELEASE, strip="pulumi")
        assert unpacked(RELEASE, strip="pulumi") == folder
        assert os.access(folder / "pulumi", os.X_OK)
        assert sorted(f.name for f in folder.iterdir()) == ["pulumi", "pulumi-language-python"]
        assert len(server.asked) == 2
        assert server.asked[0] == "/pulumi/pulumi/releases/download/v1.2.3/pulumi-1.2.3-checksums.txt"


def test_a_wrong_checksum_refuses_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    other = tar({"pulumi/pulumi": "#!/bin/sh\nevil\n"})
    with (
        site(monkeypatch, content(listing(ARCHIVE)), content(other)),
        pytest.raises(ReleaseUnusable, match="not what its publisher lists"),
    ):
        unpacked(RELEASE, strip="pulumi")
    assert left_behind() == []


def test_a_truncated_archive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        site(monkeypatch, content(listing(ARCHIVE)), cut_off(ARCHIVE[:50])),
        pytest.raises(ReleaseUnusable, match="cut off after 50 of"),
    ):
        unpacked(RELEASE)
    assert left_behind() == []


@pytest.mark.parametrize("code", [403, 404, 451])
def test_a_refusal_is_final(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    with site(monkeypatch, refused(code), content(ARCHIVE)) as server:
        for _ in range(2):
            with pytest.raises(ReleaseUnusable, match=str(code)):
                unpacked(RELEASE)
        a_week_ago = time.time() - 7 * 86400
        os.utime(next((cache_home() / "refused").iterdir()), (a_week_ago, a_week_ago))
        with pytest.raises(ReleaseUnusable, match=str(code)):
            unpacked(RELEASE)
        assert len(server.asked) == 1


def test_a_server_in_trouble_is_asked_again_the_next_day(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {RELEASE.checksums: refused(503), RELEASE.archive: content(ARCHIVE)}
    with serving(answers) as server:
        monkeypatch.setenv("HYPERCOMPOSE_RELEASES", f"http://127.0.0.1:{server.server_port}")
        for _ in range(2):
            with pytest.raises(ReleaseUnusable, match="503"):
                unpacked(RELEASE)
        assert len(server.asked) == 1
        answers[RELEASE.checksums] = content(listing(ARCHIVE))
        yesterday = time.time() - 86401
        os.utime(next((cache_home() / "refused").iterdir()), (yesterday, yesterday))
        assert (unpacked(RELEASE, strip="pulumi") / "pulumi").exists()


@pytest.mark.parametrize("hanging", [silent, trickling])
def test_a_hanging_server_costs_seconds(monkeypatch: pytest.MonkeyPatch, hanging: Answer) -> None:
    monkeypatch.setattr(releases, "SILENCE_S", 0.2)
    monkeypatch.setattr(releases, "CHECKSUMS_DEADLINE_S", 0.3)
    began = time.monotonic()
    with site(monkeypatch, hanging, content(ARCHIVE)), pytest.raises(ReleaseUnusable):
        unpacked(RELEASE)
    assert time.monotonic() - began < 1.5


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCOMPOSE_RELEASES", "http://127.0.0.1:1")
    with pytest.raises(ReleaseUnusable, match="refused"):
        unpacked(RELEASE)


def test_a_mirror_setting_reads_no_local_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCOMPOSE_RELEASES", "file:///etc")
    with pytest.raises(ReleaseUnusable, match="http"):
        unpacked(RELEASE)


def test_an_archive_that_leads_outside_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hostile = tar({"pulumi/../../../../escaped": "x"})
    with site(monkeypatch, content(listing(hostile)), content(hostile)), pytest.raises(ReleaseUnusable):
        unpacked(RELEASE)
    assert list(tmp_path.rglob("escaped")) == []


def test_an_archive_without_a_published_checksum_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    with site(monkeypatch, content(b"<html>hello</html>"), content(ARCHIVE)) as server:
        with pytest.raises(ReleaseUnusable, match="no checksum is published"):
            unpacked(RELEASE)
        assert len(server.asked) == 1


def test_checksum_lines_as_publishers_write_them() -> None:
    digest = "A" * 64
    assert checksum_in(f"{digest} *a.tar.gz\n".encode(), "a.tar.gz") == digest.lower()
    assert checksum_in(f"{digest}  ./a.tar.gz\n".encode(), "a.tar.gz") == digest.lower()
    with pytest.raises(ValueError, match="no checksum"):
        checksum_in(f"{digest}  xa.tar.gz\n{digest[:40]}  a.tar.gz\n".encode(), "a.tar.gz")
