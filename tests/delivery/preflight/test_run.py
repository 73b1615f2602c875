"""All groups run beside each other; one that hangs or breaks hides nobody else and never reads as passed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.preflight import run
from delivery.preflight.__main__ import main
from delivery.preflight.check import About, Check, Status
from delivery.preflight.declared import check_secrets, check_settings
from delivery.preflight.scope import Scope
from tests.delivery.preflight.scopes import GUESTBOOK, PORTAINER, VM, scope_of, write_stack

GONE = threading.Event()


def fine(scope: Scope) -> Iterator[Check]:
    yield About(name="fine").passed("yes")


def broken(scope: Scope) -> Iterator[Check]:
    yield About(name="never seen").passed("yes")
    raise KeyError("$(reboot)")


def hanging(scope: Scope) -> Iterator[Check]:
    GONE.wait(30)
    yield About(name="late").passed("yes")


@pytest.fixture
def stack(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(tmp_path, monkeypatch, {}, vms=[VM])


@pytest.mark.usefixtures("stack")
def test_a_group_that_hangs_or_breaks_is_named_and_the_others_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DEADLINE_S", 0.3)
    monkeypatch.setattr(run, "GROUPS", (("hanging", hanging), ("broken", broken), ("fine", fine)))
    began = time.monotonic()
    site, checks = run.preflight("dev")
    assert time.monotonic() - began < 2
    GONE.set()
    assert site == "lab"
    assert [(check.name, check.status) for check in checks] == [
        ("hanging", Status.NOT_CHECKED),
        ("broken", Status.NOT_CHECKED),
        ("fine", Status.PASSED),
    ]
    assert "KeyError" in checks[1].detail


def test_a_stack_without_settings_is_a_failure_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_OPTION_CONFIG_FILE", str(tmp_path / "Pulumi.nope.yaml"))
    assert main(["--stack", "nope", "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert "is not there" in content["checks"][0]["detail"]
    assert content["checks"][-1]["status"] == "not checked"


def test_what_is_wrong_in_one_part_of_the_settings_leaves_the_rest_to_be_checked(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = scope_of(tmp_path, monkeypatch, vms=[VM], stacks={"a": {"inline": "services: {}"}})
    checks = list(check_settings(scope))
    assert all(check.status is Status.FAILED and check.remedy for check in checks)
    assert all(check.field.startswith("Pulumi.dev.yaml: stacks.a") for check in checks)
    assert [vm.name for vm in scope.program.vms] == ["vm-a"]
    assert scope.unusable("vms") == ""
    assert scope.unusable("stacks") == "its settings are not valid"


def test_a_misspelt_setting_still_tells_the_site(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = scope_of(tmp_path, monkeypatch, vmz=[VM])
    (check,) = check_settings(scope)
    assert check.remedy == "did you mean `vms`?"
    assert scope.site.id == "lab"
    assert scope.unusable("vms")


def test_secrets_are_looked_for_and_never_shown(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXMOX_VE_API_TOKEN", "ops@pve!lab=canary-1")
    monkeypatch.setenv("HYPERCOMPOSE_REGISTRY_PASSWORD", "canary-2")
    must = {"inline": "services: {a: {image: x/y:1}}", "secrets": {"key": {"generate": None}}}
    settings = {"vms": [VM], "docker": {}, "portainer": PORTAINER, "stacks": {"guestbook": GUESTBOOK, "own": must}}
    encrypted = {"hypercompose:ssh_private_key": {"secure": "v1:xyz"}}
    scope = scope_of(tmp_path, monkeypatch, other=encrypted, **settings)
    found = {check.subject: check for check in check_secrets(scope)}
    assert found["Proxmox API token"].status is Status.PASSED
    assert found["SSH private key"].detail == "hypercompose:ssh_private_key in Pulumi.dev.yaml, encrypted"
    assert found["registry password of lab"].status is Status.PASSED
    assert found["git password of lab"].remedy.startswith("set HYPERCOMPOSE_GIT_PASSWORD, or `pulumi config set")
    assert found["secrets of stacks"].detail == "stacks.own.secrets.key: has no value"
    assert "canary" not in str(found)
    assert "canary" not in repr(scope)
    given = {"hypercompose:stack_secrets": {"own": {"key": {"secure": "v1:abc"}}}}
    found = {check.subject: check for check in check_secrets(scope_of(tmp_path, monkeypatch, other=given, **settings))}
    assert found["secrets of stacks"].status is Status.PASSED
    whole = {"hypercompose:stack_secrets": {"secure": "v1:abc"}}
    found = {check.subject: check for check in check_secrets(scope_of(tmp_path, monkeypatch, other=whole, **settings))}
    assert found["secrets of stacks"].status is Status.NOT_CHECKED


def test_a_setting_is_named_with_the_file_that_says_it(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    monkeypatch.setenv("HYPERCOMPOSE_ENVIRONMENTS", str(folder))
    (folder / "casino.yaml").write_text("vm_defaults: {disk_gib: 5}\nstacks: {own: {inline: 'services: {}'}}\n")
    scope = scope_of(tmp_path, monkeypatch, **{"vms": [VM], "class": "casino"})
    assert scope.of_vm("vm-a", "disk_gib") == "environments/casino.yaml: vm_defaults.disk_gib"
    assert scope.of_vm("vm-a", "first_id") == "Pulumi.dev.yaml: vms[0].first_id"
    assert {check.subject for check in check_settings(scope)} == {"environments/casino.yaml"}
