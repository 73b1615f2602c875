"""The distribution's repository in real guests: known from birth, with updates to choose from."""

from __future__ import annotations

import pytest

from tests.lab_packages.guests import Guest

pytestmark = pytest.mark.lab

ROCKY_BASELINE = (
    "firewalld chrony sudo python3 openssh-server iptables curl tar git cronie policycoreutils ca-certificates"
)


def test_a_security_update_is_known_as_one(guest: Guest) -> None:
    versions = {"rpm": ("2.2.1-1.el9", "2.2.1-2.el9"), "deb": ("2.2.1-1", "2.2.1-1+lab1")}[guest.family.format]
    guest.run("! test -e /usr/bin/apt || apt-get -q update")
    guest.install({"tree": versions[0]})
    if guest.family.format == "deb":
        guest.run(f"{guest.family.install} unattended-upgrades")
    guest.run(guest.family.security_update)
    assert guest.run(f"{guest.family.version} tree") == versions[1]
    guest.run("rpm -e tree" if guest.family.format == "rpm" else "dpkg --purge tree")


def test_real_programs_run(guest: Guest) -> None:
    guest.run(f"{guest.family.install} jq logrotate")
    assert guest.run("echo '[1, 2]' | jq add") == "3"
    assert guest.run("logrotate --version 2>&1").startswith("logrotate")


def test_rocky_installs_what_its_baseline_asks_for(both: dict[str, Guest]) -> None:
    rocky = both["rpm"]
    rocky.run(f"dnf -q -y install {ROCKY_BASELINE} rocky-release")
    assert rocky.run("rpm -q --whatprovides 'system-release(releasever)'").startswith("rocky-release-9.5")
    assert "Stand-in" in rocky.run("rpm -q --queryformat '%{SUMMARY}' policycoreutils")


def test_rocky_updates_by_itself_and_locks_versions(both: dict[str, Guest]) -> None:
    rocky = both["rpm"]
    rocky.run("dnf -q -y install dnf-automatic 'dnf-command(versionlock)' tree-2.2.1-1.el9")
    rocky.run("sed -i 's/^apply_updates.*/apply_updates = yes/' /etc/dnf/automatic.conf")
    rocky.run("dnf -q versionlock add tree && systemctl start dnf-automatic.service")
    assert rocky.run("rpm -q tree").startswith("tree-2.2.1-1.el9")
    rocky.run("dnf -q versionlock clear && systemctl start dnf-automatic.service")
    assert rocky.run("rpm -q tree").startswith("tree-2.2.1-2.el9")
    assert rocky.run("systemctl is-enabled dnf-automatic.timer || true") == "disabled"
    rocky.run("rpm -e tree")
