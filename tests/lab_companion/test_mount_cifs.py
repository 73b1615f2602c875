"""The guests' mount.cifs: what it reads, what it refuses, what rclone is told."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from lab.packages.cifs import PROGRAM, for_apt, for_dnf


@pytest.fixture(scope="module")
def program() -> ModuleType:
    loader = SourceFileLoader("mount_cifs", str(PROGRAM))
    spec = importlib.util.spec_from_loader("mount_cifs", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_a_credentials_file_may_hold_any_password(program: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("username=svc-compose\npassword= p,a=ss'w\"$(rd)é\\ \ndom=CASINO\n")
    places, options = program.read(["//app/M", "/mnt/m", "-o", f"rw,credentials={file},uid=1000,nofail"])
    assert places == ["//app/M", "/mnt/m"]
    assert (options["username"], options["password"]) == ("svc-compose", " p,a=ss'w\"$(rd)é\\ ")
    assert (options["domain"], options["uid"]) == ("CASINO", "1000")


@pytest.mark.parametrize("what", ["//app.lab.internal/M$/Billing/", "\\\\app.lab.internal\\M$\\Billing"])
def test_a_share_is_spelled_either_way(program: ModuleType, what: str) -> None:
    assert program.share_of(what) == ("app.lab.internal", "M$", "Billing")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["//app/M"], 1, "Usage"),
        (["app/M", "/"], 1, "bad UNC (app/M)"),
        (["//app", "/"], 1, "bad UNC (//app)"),
        (["//app/M", "/nowhere-at-all"], 1, "Couldn't chdir to /nowhere-at-all"),
        (["//app/M", "/", "-o", "vers=1.0"], 32, "mount error(95): Operation not supported"),
        (["//app/M", "/", "-o", "bogus=1"], 32, "mount error(22): Invalid argument"),
        (["//app/M", "/", "-o", "credentials=/none"], 2, "error 2 (No such file or directory) opening credential file"),
        (["//127.0.0.1:1/M", "/", "-o", "ip=127.0.0.2"], 32, "mount error(111): could not connect to 127.0.0.2"),
    ],
)
def test_what_cannot_be_is_refused_as_by_the_real_one(
    program: ModuleType, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(arguments)
    assert (ended.value.code, said in capsys.readouterr().err) == (code, True)


def test_rights_and_freshness_reach_rclone_and_no_secret_does(program: ModuleType) -> None:
    options = {"uid": "1000", "gid": "root", "file_mode": "0640", "dir_mode": "0750", "ro": "", "password": "s3cret"}
    words = program.command("//app/M", ":smb:M/", "/mnt/m", options)
    expected = {"--uid=1000", "--gid=0", "--file-perms=0640", "--dir-perms=0750", "--read-only", "--devname=//app/M"}
    assert expected < set(words)
    assert {"--dir-cache-time=0s", "--attr-timeout=0s", "--vfs-cache-mode=minimal"} < set(words)
    assert "s3cret" not in " ".join(words)


def test_both_packages_hold_the_program(tmp_path: Path) -> None:
    for package in (for_dnf(tmp_path / "rpm"), for_apt(tmp_path / "deb")):
        assert (package.name, package.files()) == ("cifs-utils", ["/usr/sbin/mount.cifs"])
        assert package.root and (package.root / "usr/sbin/mount.cifs").stat().st_mode & 0o777 == 0o755
