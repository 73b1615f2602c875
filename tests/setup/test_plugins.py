"""Official plugins win; a stand-in is for the lab only; the Proxmox provider is built where it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup import plugins
from setup.gobuild import GoBuild
from setup.parts import Origin, Part
from setup.places import CHECKOUT, STANDINS
from setup.plugins import COMMAND, PROXMOXVE, ensure_command, ensure_dynamic, ensure_language, ensure_proxmoxve
from setup.report import SetupError
from tests.setup.conftest import program
from tests.setup.releases_server import content, listing, serving, tar

NOWHERE = {"PATH": "/nowhere"}
BUILT = Part(name="engine", origin=Origin.BUILD, version="3.259.0", folder=Path("/built"))


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No release can be reached, nothing is compiled."""

    def built(build: GoBuild, *, because: str) -> Path:
        return Path("/built") / build.name

    monkeypatch.setattr(plugins, "built", built)
    monkeypatch.setenv("HYPERCOMPOSE_RELEASES", "http://127.0.0.1:1")


def installed(home: Path, name: str, version: str) -> dict[str, str]:
    """The engine's plugin folder holds it."""
    program(home / "plugins" / f"resource-{name}-v{version}", f"pulumi-resource-{name}")
    return {**NOWHERE, "PULUMI_HOME": str(home)}


def test_an_installed_official_plugin_wins(tmp_path: Path) -> None:
    part = ensure_command(BUILT, installed(tmp_path, "command", COMMAND.version), is_lab=True)
    assert (part.origin, part.folder) == (Origin.OFFICIAL, None)


def test_another_version_is_not_it(tmp_path: Path) -> None:
    part = ensure_command(BUILT, installed(tmp_path, "command", "1.0.0"), is_lab=True)
    assert part.origin is Origin.STANDIN


def test_one_on_path_wins(tmp_path: Path) -> None:
    program(tmp_path, "pulumi-resource-proxmoxve")
    assert ensure_proxmoxve(BUILT, {"PATH": str(tmp_path)}).origin is Origin.OFFICIAL


def test_our_stand_in_on_path_is_not_official() -> None:
    part = ensure_command(BUILT, {"PATH": str(STANDINS / "command")}, is_lab=True)
    assert part.origin is Origin.STANDIN


def test_the_official_release_is_handed_to_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    engine_folder = tmp_path / "engine"
    program(engine_folder, "pulumi").write_text(f'#!/bin/sh\necho "$@" > {log}\n')
    archive, release = tar({"pulumi-resource-command": "x"}), COMMAND.release
    with serving(
        {release.checksums: content(listing(archive, release.archive)), release.archive: content(archive)}
    ) as at:
        monkeypatch.setenv("HYPERCOMPOSE_RELEASES", f"http://127.0.0.1:{at.server_port}")
        engine = Part(name="engine", origin=Origin.BUILD, version="3", folder=engine_folder)
        assert ensure_command(engine, NOWHERE, is_lab=False).origin is Origin.RELEASE
    assert log.read_text().startswith("plugin install resource command 1.2.1 --file /")


def test_the_proxmox_provider_is_built_where_no_release_can_be_had() -> None:
    part = ensure_proxmoxve(BUILT, NOWHERE)
    assert (part.origin, part.folder) == (Origin.BUILD, Path("/built/proxmoxve"))


@pytest.mark.parametrize("ensure", [ensure_language, ensure_dynamic, ensure_command])
def test_stand_ins_are_for_the_lab_only(ensure: type[object]) -> None:
    part = ensure(BUILT, NOWHERE, is_lab=True)  # type: ignore[call-arg]
    assert isinstance(part, Part)
    assert part.origin is Origin.STANDIN
    assert part.folder is not None
    assert any(part.folder.glob("pulumi-*")), "its folder goes on PATH and holds nothing but the stand-in"
    with pytest.raises(SetupError, match="Install the Pulumi CLI") as refusal:
        ensure(BUILT, NOWHERE, is_lab=False)  # type: ignore[call-arg]
    assert "lab only" in str(refusal.value)


def test_a_language_host_beside_the_official_engine_wins(tmp_path: Path) -> None:
    program(tmp_path, "pulumi-language-python")
    engine = Part(name="engine", origin=Origin.RELEASE, version="3.259.0", folder=tmp_path)
    part = ensure_language(engine, NOWHERE, is_lab=False)
    assert (part.origin, part.folder) == (Origin.RELEASE, None)


def test_versions_are_those_of_the_locked_sdks() -> None:
    locked = (CHECKOUT / "pyproject.toml").read_text()
    assert f"pulumi-proxmoxve=={PROXMOXVE.version}" in locked
    assert f"pulumi-command=={COMMAND.version}" in locked
