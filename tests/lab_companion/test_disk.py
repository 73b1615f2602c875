"""The files on a companion's disk: encodings, line ends, and the state that a reset brings back."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from lab.companion.disk import LARGE, SOURCES, table, write_files, written

VALUES = {"ADDRESS": "10.77.0.41", "DOMAIN": "lab.internal"}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"encoding": "utf-8"}, b"\xc3\xa9\r\nb\r\nc\r\n"),
        ({"encoding": "utf-8-sig", "lines": "lf"}, codecs.BOM_UTF8 + b"\xc3\xa9\nb\nc\n"),
        ({"encoding": "cp1252", "end": "none"}, b"\xe9\r\nb\r\nc"),
        ({"encoding": "latin-1", "lines": "mixed"}, b"\xe9\r\nb\r\nc\n"),
        ({"encoding": "utf-16-le", "bom": True}, codecs.BOM_UTF16_LE + "é\r\nb\r\nc\r\n".encode("utf-16-le")),
        ({"encoding": "utf-16-be", "bom": True}, codecs.BOM_UTF16_BE + "é\r\nb\r\nc\r\n".encode("utf-16-be")),
    ],
)
def test_a_source_is_written_as_the_table_says(form: dict[str, object], expected: bytes) -> None:
    assert written("é\nb\nc\n", form) == expected


def test_the_table_names_every_source_and_no_other() -> None:
    sources = {str(file.relative_to(SOURCES)) for file in SOURCES.rglob("*") if file.is_file()}
    assert set(table()) == sources


def test_the_files_know_the_lab_they_are_in(tmp_path: Path) -> None:
    write_files(tmp_path / "files", VALUES)
    settings = (tmp_path / "files" / "Billing" / "appsettings.json").read_text("utf-8-sig")
    assert "http://10.77.0.41:5001" in settings and "@" not in settings
    assert (tmp_path / "files" / LARGE).stat().st_size > 6_000_000
    assert (tmp_path / "files" / LARGE).read_text().count("history.server = http://10.77.0.41:5003/history") == 1


def test_a_reset_leaves_nothing_of_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    write_files(folder, VALUES)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "hypercompose" / "backups").mkdir(parents=True)
    (folder / "Reports" / ".env").unlink()
    (folder / "Billing" / "appsettings.json").write_text("{}")
    write_files(folder, VALUES)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_is_read_only_has_the_attribute_that_samba_shows(tmp_path: Path) -> None:
    write_files(tmp_path / "files", VALUES)
    assert os.getxattr(tmp_path / "files" / "Gateway" / "license.ini", "user.DOSATTRIB") == b"0x1\0"
