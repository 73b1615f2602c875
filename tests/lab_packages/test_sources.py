"""Where packages come from and what signs them, without fetching any."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lab.images import recipe
from lab.images.sources import MIRROR_VARIABLE, guest_sources
from lab.packages.docker_set import SETS
from lab.packages.signing import signing_keys
from setup.process import run_quietly

SOURCES = """\
Types: deb
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_another_suite_takes_the_place_of_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(SOURCES)
    assert guest_sources(tmp_path, suite="forky") == [
        "deb [signed-by=/keys/debian.gpg] http://mirror.test/debian forky main",
        "deb [signed-by=/keys/debian.gpg] http://mirror.test/debian forky-updates main",
    ]


def test_keys_are_made_once_and_differ(cache: Path) -> None:
    keys = signing_keys()
    assert signing_keys() == keys
    texts = {name: key.public.read_text() for name, key in keys.items()}
    assert texts["docker"] != texts["base"]
    assert all(text.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----") for text in texts.values())


def test_private_keys_are_the_owners_alone_and_outside_of_what_is_served(cache: Path) -> None:
    for key in signing_keys().values():
        assert stat.S_IMODE(key.private.stat().st_mode) == 0o600
        assert stat.S_IMODE(key.private.parent.stat().st_mode) == 0o700
        assert "packages" not in [folder.name for folder in key.private.parents if cache in folder.parents]


def test_a_key_signs_what_its_public_half_verifies(cache: Path) -> None:
    key, text = signing_keys()["base"], cache / "text"
    text.write_text("as it is")
    with key.environment() as env:
        run_quietly(["gpg", "--batch", "--armor", "--detach-sign", str(text)], env=env)
    run_quietly(["gpg", "--batch", "--dearmor", "--output", str(cache / "ring"), str(key.public)])
    run_quietly(["gpgv", "--keyring", str(cache / "ring"), f"{text}.asc", str(text)])


def test_an_image_is_another_with_another_key(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.image_tag("rocky-9")
    assert recipe.image_tag("rocky-9") == before
    key = signing_keys()["base"].public
    key.write_text(key.read_text() + "\n")
    assert recipe.image_tag("rocky-9") != before


def test_each_set_comes_from_a_suite_of_its_own() -> None:
    assert len(set(SETS.values())) == len(SETS) == 2
