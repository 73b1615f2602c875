"""Passphrases: made at first use, readable by one person, never invented where secrets exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup.passphrases import passphrase_file
from setup.report import SetupError
from setup.sites import read_site
from tests.setup.checkout import SALT, checkout


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_the_labs_is_the_public_one(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    file = passphrase_file(read_site("lab", root), "lab", root)
    assert (file.read_text(), mode(file), file.parent) == ("lab", 0o600, tmp_path / ".lab")
    file.write_text("spoilt")
    assert passphrase_file(read_site("lab", root), "lab", root).read_text() == "lab"


def test_a_real_sites_is_made_once(tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout(tmp_path)
    site = read_site("main", root)
    file = passphrase_file(site, "acceptance", root)
    assert file == own_home / "config" / "hypercompose" / "main" / "passphrase"
    assert (len(file.read_text()) > 40, mode(file), mode(file.parent)) == (True, 0o600, 0o700)
    said = capsys.readouterr().err
    assert str(file) in said
    assert file.read_text() not in said
    assert passphrase_file(site, "acceptance", root).read_text() == file.read_text()


def test_none_is_invented_where_secrets_exist(tmp_path: Path, own_home: Path) -> None:
    root = checkout(tmp_path)
    with (root / "Pulumi.acceptance.yaml").open("a") as config:
        config.write(f"encryptionsalt: {SALT}\n")
    with pytest.raises(SetupError, match="ask your team for it and put it into /") as refusal:
        passphrase_file(read_site("main", root), "acceptance", root)
    assert "\n" not in str(refusal.value)
    assert not (own_home / "config").exists()


def test_one_that_others_can_read_is_refused(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    site = read_site("main", root)
    passphrase_file(site, "acceptance", root).chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        passphrase_file(site, "acceptance", root)
