"""The gate as one file: the same everywhere, and content with Python's own library."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from provisioning.gate_program import program


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "gate.pyz"
    found.write_bytes(program())
    return found


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-B", str(file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=file.parent, check=False, env={})


def modules() -> dict[str, ast.Module]:
    with zipfile.ZipFile(io.BytesIO(program())) as archive:
        return {name: ast.parse(archive.read(name)) for name in archive.namelist() if name.endswith(".py")}


def test_it_is_the_same_byte_for_byte_each_time_it_is_made() -> None:
    first = program()
    program.cache_clear()
    assert program() == first


def test_nothing_in_it_tells_when_or_by_whom_it_was_made() -> None:
    with zipfile.ZipFile(io.BytesIO(program())) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0) and entry.compress_type == zipfile.ZIP_STORED
            assert entry.external_attr in (0, 0o600 << 16)
        assert len(archive.namelist()) == len(set(archive.namelist()))


def test_it_imports_pythons_own_library_and_itself_alone() -> None:
    found, names = set[str](), modules()
    for tree in names.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found.add(str(node.module))
    roots = {name.partition(".")[0] for name in found}
    assert roots - set(sys.stdlib_module_names) == {"provisioning"}


@pytest.mark.parametrize(
    "command", [["--help"], ["sync", "--help"], ["rollback", "--help"], ["history", "--help"], ["serve", "--help"]]
)
def test_it_runs_without_anything_installed(file: Path, command: list[str]) -> None:
    done = run(file, *command)
    assert done.returncode == 0 and "usage: hypercompose-gate" in done.stdout and done.stderr == ""


def test_a_stack_that_is_not_there_is_one_sentence(file: Path) -> None:
    done = run(file, "status", "no-such-stack", "--json")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "/etc/hypercompose/gate/stacks/no-such-stack.json: no such file; run `pulumi up` for this host\n"
    )
