"""Recipes of guest images: sources follow the machine's apt, tags follow the recipe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab.images import recipe
from lab.images.sources import MIRROR_VARIABLE, guest_sources
from setup.report import SetupError

DEB822 = """\
Types: deb
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /keys/debian.gpg

Types: deb deb-src
# security
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main contrib
Signed-By: /keys/debian.gpg
"""
ONE_LINE = """\
# deb http://old.test/debian bookworm main
deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.test/debian bookworm main contrib
deb http://cloud.test/apt cloud-sdk-bookworm main
deb http://node.test/deb nodistro main
"""


@pytest.fixture(autouse=True)
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /etc/apt."""
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_the_guests_suite_takes_the_place_of_the_machines(apt: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert guest_sources(apt) == [
        "deb [signed-by=/keys/debian.gpg] http://mirror.test/debian trixie main",
        "deb [signed-by=/keys/debian.gpg] http://mirror.test/debian trixie-updates main",
        "deb [signed-by=/keys/debian.gpg] http://mirror.test/debian-security trixie-security main",
    ]


def test_the_one_line_format_is_read_too_and_strangers_left_out(apt: Path) -> None:
    (apt / "sources.list").write_text(ONE_LINE)
    assert guest_sources(apt) == ["deb [signed-by=/keys/debian.gpg] http://mirror.test/debian trixie main"]


def test_a_machine_without_a_debian_mirror_says_what_to_set(apt: Path) -> None:
    (apt / "sources.list").write_text("deb http://archive.test/ubuntu noble main\n")
    with pytest.raises(SetupError, match=MIRROR_VARIABLE):
        guest_sources(apt)


def test_a_mirror_can_be_told(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, "http://told.test/debian")
    assert [line.split()[-3:] for line in guest_sources(apt)] == [["http://told.test/debian", "trixie", "main"]]


def test_a_tag_changes_with_any_file_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = tmp_path / "guest"
    shutil.copytree(recipe.CONTEXT, context)
    monkeypatch.setattr(recipe, "CONTEXT", context)
    before = recipe.image_tag("rocky-9")
    assert recipe.image_tag("rocky-9") == before != recipe.image_tag("debian-13")
    with (context / "sshd.conf").open("a") as file:
        file.write("# changed\n")
    assert recipe.image_tag("rocky-9") != before


def test_the_tree_has_what_a_guest_needs() -> None:
    needed = {"systemd", "openssh-server", "sudo", "python3", "firewalld", "nftables", "e2fsprogs", "xfsprogs", "git"}
    assert needed <= set(recipe.packages())
    assert "cloud-init" not in recipe.packages()
