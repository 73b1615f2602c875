"""This machine: what plain `pulumi up` would find."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from delivery.preflight import machine
from delivery.preflight.check import About, Check, Status
from delivery.preflight.clocks import clock
from delivery.preflight.machine import check_machine
from delivery.preflight.scope import Scope
from tests.delivery.preflight.scopes import VM, scope_of


def key(folder: Path, name: str = "key") -> tuple[Path, str]:
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file], check=True)
    return file, file.with_suffix(".pub").read_text().strip()


def let_in(site: Path, *lines: str) -> None:
    content = yaml.safe_load(site.read_text())
    content["ssh"]["public_keys"] = list(lines)
    site.write_text(yaml.safe_dump(content))


def of_key(scope: Scope) -> Check:
    return next(check for check in check_machine(scope) if check.name == "ssh key")


def test_the_key_is_among_those_that_new_vms_let_in(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, public = key(tmp_path)
    other = key(tmp_path, "other")[1]
    monkeypatch.setenv("HYPERCOMPOSE_SSH_KEY_FILE", str(file))
    let_in(lab_site, other, f"{public} somebody@somewhere $(reboot)")
    check = of_key(scope_of(tmp_path, monkeypatch, vms=[VM]))
    assert (check.status, check.remedy) == (Status.PASSED, "")
    file.chmod(0o644)
    assert "chmod 600" in of_key(scope_of(tmp_path, monkeypatch, vms=[VM])).remedy
    let_in(lab_site, other)
    check = of_key(scope_of(tmp_path, monkeypatch, vms=[VM]))
    assert check.status is Status.FAILED
    assert "ssh.public_keys" in check.remedy


def test_a_key_that_cannot_be_read_is_named(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_in(lab_site, key(tmp_path)[1])
    monkeypatch.setenv("HYPERCOMPOSE_SSH_KEY_FILE", str(tmp_path / "nope"))
    assert of_key(scope_of(tmp_path, monkeypatch, vms=[VM])).detail.endswith("nope does not exist")
    (tmp_path / "nope").write_text("canary $(reboot)")
    check = of_key(scope_of(tmp_path, monkeypatch, vms=[VM]))
    assert check.status is Status.FAILED
    assert "canary" not in str(check)
    monkeypatch.delenv("HYPERCOMPOSE_SSH_KEY_FILE")
    assert of_key(scope_of(tmp_path, monkeypatch, vms=[VM])).status is Status.NOT_CHECKED


def test_what_is_not_installed_is_named_with_how_to_get_it(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 1 << 60)
    failed = [check for check in check_machine(scope_of(tmp_path, monkeypatch)) if check.status is Status.FAILED]
    assert [check.subject for check in failed] == [
        "pulumi",
        "git",
        "proxmoxve",
        "command",
        "checkout",
        "temporary files",
    ]
    assert all(check.remedy for check in failed)


@pytest.mark.parametrize(
    ("ahead_s", "status", "detail"),
    [
        (0.2, Status.PASSED, "same as here"),
        (-12.0, Status.PASSED, "12 s behind this machine's"),
        (31.0, Status.FAILED, "31 s ahead of this machine's"),
        (-86400.0, Status.FAILED, "86400 s behind this machine's"),
        (None, Status.NOT_CHECKED, "because it tells no time"),
    ],
)
def test_a_clock_may_be_off_by_half_a_minute(ahead_s: float | None, status: Status, detail: str) -> None:
    check = clock(About(name="clock"), ahead_s)
    assert (check.status, check.detail) == (status, detail)
