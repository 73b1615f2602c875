"""Names: of this machine what it asks itself, of the VMs' name servers what hosts ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.preflight import names
from delivery.preflight.check import Check, Status
from delivery.preflight.names import check_names
from provisioning.names import NameServerSilent, NameUnknown
from tests.delivery.preflight.scopes import GUESTBOOK, PORTAINER, VM, scope_of

REGISTRY, GIT = "registry.lab.internal", "git.lab.internal"
EVERYTHING = {
    "pve.lab.internal": "192.0.2.1",
    REGISTRY: "192.0.2.2",
    GIT: "192.0.2.3",
    "code.example.com": "192.0.2.4",
}
Ask = Callable[[dict[str, str], dict[str, str] | None], dict[str, Check]]


@pytest.fixture
def found(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    text = lab_site.read_text().replace("https://127.0.0.1:18006", "https://pve.lab.internal:8006")
    lab_site.write_text(text)

    def with_answers(here: dict[str, str], there: dict[str, str] | None) -> dict[str, Check]:
        def ask_here(name: str) -> list[str]:
            if name not in here:
                raise NameUnknown(name)
            return [here[name]]

        def ask_there(name: str, server: str) -> list[str]:
            if there is None:
                raise NameServerSilent(server)
            if name not in there:
                raise NameUnknown(name)
            return [there[name]]

        monkeypatch.setattr(names, "resolved_here", ask_here)
        monkeypatch.setattr(names, "resolved_at", ask_there)
        stacks = {"guestbook": GUESTBOOK, "theirs": {"git": {"url": "https://code.example.com/a/b"}}}
        scope = scope_of(tmp_path, monkeypatch, vms=[VM], docker={}, portainer=PORTAINER, stacks=stacks)
        return {check.subject: check for check in check_names(scope)}

    return with_answers


def test_every_name_of_the_settings_is_asked_where_it_is_needed(found: Ask) -> None:
    checks = found(EVERYTHING, EVERYTHING)
    assert set(checks) == set(EVERYTHING)
    assert {check.status for check in checks.values()} == {Status.PASSED}
    assert checks["pve.lab.internal"].detail == "192.0.2.1"
    assert checks[REGISTRY].detail == "192.0.2.2 by 10.77.0.1; here: 192.0.2.2"


def test_what_the_vms_cannot_resolve_fails_though_this_machine_can(found: Ask) -> None:
    checks = found(EVERYTHING, {REGISTRY: "192.0.2.2", "code.example.com": "192.0.2.4"})
    assert {name for name, check in checks.items() if check.status is Status.FAILED} == {GIT}
    assert "10.77.0.1 does not know it" in checks[GIT].detail
    assert "`dns`" in checks[GIT].remedy


def test_a_silent_name_server_is_not_a_no(found: Ask) -> None:
    checks = found({}, None)
    assert checks["pve.lab.internal"].status is Status.FAILED
    assert checks[REGISTRY].status is Status.NOT_CHECKED
    assert checks[REGISTRY].detail.startswith("because the VMs' name server 10.77.0.1 does not answer")
