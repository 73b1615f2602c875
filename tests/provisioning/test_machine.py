"""Programs, plugins and room of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.machine import find_plugin, free_bytes, version_of


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_a_program_says_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    program(tmp_path, "pulumi", 'echo "v3.259.0-dev.0"')
    silent = program(tmp_path, "silent", "exit 3")
    assert version_of("pulumi", "version") == "3.259.0"
    assert version_of("silent", "--version") == str(silent)
    assert version_of("no-such-program", "--version") is None


def test_a_plugin_is_on_path_or_in_the_engines_folder_of_that_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    assert find_plugin("proxmoxve", "8.3.0") is None
    own = tmp_path / "home" / "plugins" / "resource-proxmoxve-v8.3.0"
    own.mkdir(parents=True)
    (own / "pulumi-resource-proxmoxve").touch()
    found = find_plugin("proxmoxve", "8.3.0")
    assert found is not None
    assert found.is_exact
    assert find_plugin("proxmoxve", "9.0.0") is None
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "pulumi-resource-proxmoxve", "exit 0")
    found = find_plugin("proxmoxve", "9.0.0")
    assert found is not None
    assert not found.is_exact


def test_room_is_told(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
