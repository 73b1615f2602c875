"""The language host's decisions: which Python, what a program's end means, where configuration travels."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import language_pb2

from setup.standins.language_python import service
from setup.standins.language_python.interpreter import activated, distributions, interpreter
from setup.standins.language_python.program import readable
from setup.standins.language_python.service import Host


def request(root: Path, **fields: Any) -> Any:
    """A Run request for a project whose virtualenv is this test's own Python."""
    (root / "env" / "bin").mkdir(parents=True, exist_ok=True)
    python = root / "env" / "bin" / "python"
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    options = struct_pb2.Struct()
    options.update({"virtualenv": "env"})
    info = language_pb2.ProgramInfo(
        root_directory=str(root), program_directory=str(root), entry_point=".", options=options
    )
    return language_pb2.RunRequest(info=info, pwd=str(root), **fields)


def stub(root: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Another script takes the place of the one that runs programs."""
    (root / "stub.py").write_text(text)
    monkeypatch.setattr(service, "PROGRAM", root / "stub.py")


@pytest.mark.parametrize(
    ("code", "bail", "error"), [(0, False, ""), (32, True, ""), (3, False, "Program exited with non-zero exit code: 3")]
)
def test_what_an_exit_code_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, bail: bool, error: str
) -> None:
    stub(tmp_path, monkeypatch, f"raise SystemExit({code})")
    answer = Host("").Run(request(tmp_path), None)
    assert (answer.bail, answer.error) == (bail, error)


def test_configuration_travels_by_stdin_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen.json"
    stub(
        tmp_path,
        monkeypatch,
        f"import json,os,sys\njson.dump([json.load(sys.stdin), dict(os.environ), sys.argv], open({str(seen)!r}, 'w'))",
    )
    Host("engine:1").Run(
        request(tmp_path, config={"p:token": "canary"}, configSecretKeys=["p:token"], dryRun=True), None
    )
    given, environ, argv = json.loads(seen.read_text())
    assert given["config"] == {"p:token": "canary"}
    assert given["secret_keys"] == ["p:token"]
    assert (given["settings"]["engine"], given["settings"]["dry_run"]) == ("engine:1", True)
    assert "canary" not in json.dumps([environ, argv])


def test_a_missing_environment_is_one_sentence(tmp_path: Path) -> None:
    asked = request(tmp_path)
    asked.info.options.update({"virtualenv": "gone"})
    answer = Host("").Run(asked, None)
    assert "gone" in answer.error
    assert "make env" in answer.error


def test_a_plugins_output_and_exit_code_are_passed_on(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__main__.py").write_text(
        "import os,sys\n"
        "print('out', *sys.argv[1:], os.environ['K'])\n"
        "print('err', file=sys.stderr)\n"
        "raise SystemExit(7)\n"
    )
    info = request(tmp_path).info
    info.program_directory = str(tmp_path / "pack")
    asked = language_pb2.RunPluginRequest(info=info, pwd=str(tmp_path), args=["a"], env=["K=v=w"])
    said = list(Host("").RunPlugin(asked, SimpleNamespace(add_callback=lambda stop: None)))
    assert b"".join(piece.stdout for piece in said) == b"out a v=w\n"
    assert b"".join(piece.stderr for piece in said) == b"err\n"
    assert said[-1].exitcode == 7


def test_cancel_ends_what_runs(tmp_path: Path) -> None:
    host = Host("")
    child = host.children.start(["sleep", "30"], stdin=subprocess.DEVNULL)
    host.Cancel(None, None)
    assert host.children.wait(child) == -15


def test_an_activated_environment_comes_first_on_path(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    env = activated({"PATH": "/usr/bin", "PYTHONHOME": "/x"}, str(tmp_path / "bin" / "python"))
    assert env == {"PATH": f"{tmp_path}/bin:/usr/bin", "VIRTUAL_ENV": str(tmp_path)}


def test_without_a_virtualenv_path_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python3").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter("/", {}) == str(tmp_path / "python3")
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="virtualenv"):
        interpreter("/", {})


def test_installed_packages_are_read_from_metadata() -> None:
    assert dict(distributions(sys.executable))["pulumi"] == "3.259.0"


def test_a_traceback_starts_at_the_persons_own_line(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("def boom():\n    return {}['missing']\nboom()\n")
    try:
        exec(compile((tmp_path / "__main__.py").read_text(), str(tmp_path / "__main__.py"), "exec"), {})  # noqa: S102
    except KeyError as problem:
        text = readable(problem, str(tmp_path))
        assert "KeyError: 'missing'" in text
        assert __file__ not in text
        assert __file__ in "".join(traceback.format_exception(problem))
