"""Updates that really arrive on guests, those that do not, and the restart after them."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from provisioning.host import HostUnreachable
from tests.steps.cases import FAMILIES
from tests.steps.guests import DISK, PACKAGES, StepGuests

pytestmark = pytest.mark.lab
each_family = pytest.mark.parametrize("family", FAMILIES)
UPDATER = {"dnf": "dnf-automatic.service", "apt": "apt-daily.service apt-daily-upgrade.service"}
VERSION = {"dnf": "rpm -q --qf '%{VERSION}-%{RELEASE}'", "apt": "dpkg-query -W -f '${Version}'"}
INSTALL = {"dnf": "dnf -y -q install", "apt": "apt-get -q update && apt-get -q -y install"}
REMOVE = {"dnf": "dnf -y -q remove", "apt": "apt-get -q -y purge"}
OLD_TREE = {"dnf": "tree-2.2.1-1.el9", "apt": "tree=2.2.1-1"}
NEW_TREE = {"dnf": "2.2.1-2.el9", "apt": "2.2.1-1+lab1"}
THIRD = "docker-compose-plugin"
OLD_THIRD = {"dnf": f"{THIRD}-2.26.1-1.el9", "apt": f"{THIRD}=2.26.1-1~debian.13~trixie"}
SOURCE = {
    "dnf": "/etc/yum.repos.d/theirs.repo",
    "apt": "/etc/apt/sources.list.d/theirs.sources",
}
SOURCE_TEXT = {
    "dnf": f"[theirs]\\nname=theirs\\nbaseurl={PACKAGES}/rpm/9/docker\\ngpgcheck=0\\n",
    "apt": f"Types: deb\\nURIs: {PACKAGES}/apt/docker\\nSuites: trixie\\nComponents: stable\\nTrusted: yes\\n",
}


def run_the_updater(guests: StepGuests, family: str) -> None:
    """As its timer would."""
    guests.must(family, f"for unit in {UPDATER[family]}; do systemctl start $unit; done")


def version(guests: StepGuests, family: str, package: str) -> str:
    """Of an installed package."""
    return guests.must(family, f"{VERSION[family]} {package}")


@each_family
def test_only_the_updates_of_the_policy_arrive(guests: StepGuests, family: str) -> None:
    guests.must(family, f"{INSTALL[family]} {OLD_TREE[family]}")
    with guests.converged(family, "Updates", {"policy": "none", "reboot": "never"}):
        timers = guests.must(family, "systemctl list-timers --no-legend")
        assert "dnf-" not in timers and "apt-" not in timers and "hypercompose" not in timers
    assert version(guests, family, "tree") != NEW_TREE[family]
    with guests.converged(family, "Updates", {"policy": "security", "reboot": "never"}):
        run_the_updater(guests, family)
        assert version(guests, family, "tree") == NEW_TREE[family]
    guests.must(family, f"{REMOVE[family]} tree")


@each_family
@pytest.mark.parametrize("policy", ["security", "all"])
def test_what_is_not_the_distributions_stays_in_its_version(guests: StepGuests, family: str, policy: str) -> None:
    guests.must(family, f"printf '{SOURCE_TEXT[family]}' >{SOURCE[family]}")
    guests.must(family, f"{INSTALL[family]} {OLD_TREE[family]} {OLD_THIRD[family]}")
    third = version(guests, family, THIRD)
    with guests.converged(family, "Updates", {"policy": policy, "reboot": "never"}):
        run_the_updater(guests, family)
        assert version(guests, family, "tree") == NEW_TREE[family]
        assert version(guests, family, THIRD) == third
    guests.must(family, f"{REMOVE[family]} tree {THIRD}; rm {SOURCE[family]}")


@each_family
def test_a_host_restarts_after_the_updater_and_only_where_an_update_asks_for_it(
    guests: StepGuests, family: str
) -> None:
    # `systemctl` of this one service notes what it is told
    unit, fake = "hypercompose-reboot.service", "/root/fake"
    with guests.converged(family, "Updates", {"policy": "security", "reboot": "window", "window": "03:00"}):
        guests.must(
            family,
            f"mkdir -p {fake} /run/systemd/system/{unit}.d && printf '#!/bin/sh\\necho \"$@\" >{fake}/said\\n' "
            f">{fake}/systemctl && chmod +x {fake}/systemctl && printf '[Service]\\nEnvironment=PATH={fake}:/usr/sbin:"
            f"/usr/bin\\n' >/run/systemd/system/{unit}.d/fake.conf && systemctl daemon-reload",
        )
        guests.must(family, f"systemctl start {unit} && test ! -e {fake}/said")
        updated = guests.must(
            family, f"systemctl show -p ExecMainStartTimestampMonotonic {UPDATER[family].split()[-1]}"
        )
        assert not updated.strip().endswith("=0"), "the updater did not run before"
        asks = (
            "touch /run/reboot-required"
            if family == "apt"
            else f"cp {fake}/systemctl {fake}/dnf && "
            + (f"printf '#!/bin/sh\\necho Reboot is required to fully utilize these updates.\\nexit 1\\n' >{fake}/dnf")
        )
        guests.must(
            family,
            f"{asks}; systemd-run -q --collect --unit=busy systemd-inhibit --what=shutdown --mode=block sleep 60\n"
            "until systemd-inhibit --list | grep -q block; do sleep 0.1; done\n"
            f"if systemctl start {unit}; then exit 1; fi\ntest ! -e {fake}/said\nsystemctl stop busy",
        )
        guests.must(family, f"systemctl start {unit} && grep -q ^reboot {fake}/said")
        guests.must(family, f"rm -rf {fake} /run/reboot-required /run/systemd/system/{unit}.d; systemctl daemon-reload")


@pytest.mark.soak
def test_a_host_restarts_in_its_window_although_somebody_is_logged_in(guests: StepGuests) -> None:
    with ExitStack() as steps:
        booted = {family: _waits_for_its_window(guests, family, steps) for family in FAMILIES}
        end = time.monotonic() + 200
        for family in FAMILIES:
            while _booted(guests, family) in ("", booted[family]):
                assert time.monotonic() < end, f"{family} has not restarted"
                time.sleep(1)
            guests.must(family, "systemctl is-system-running --wait || true")
            guests.must(family, "systemctl is-active hypercompose-reboot.timer && test ! -e /run/reboot-required")
            guests.must(family, "findmnt -n -t ext4 /srv/boot")


def _waits_for_its_window(guests: StepGuests, family: str, steps: ExitStack) -> str:
    guests.must(family, f"mkfs.ext4 -q -F {DISK}")
    mount = {"device": DISK, "mount": "/srv/boot", "filesystem": "ext4"}
    steps.enter_context(guests.converged(family, "Mount", mount))
    window = guests.must(family, "date -d '+75 seconds' +%H:%M").strip()
    updates = {"policy": "security", "reboot": "window", "window": window}
    steps.enter_context(guests.converged(family, "Updates", updates))
    guests.must(family, "touch /run/reboot-required")
    return _booted(guests, family)


def _booted(guests: StepGuests, family: str) -> str:
    """When it was switched on; nothing while it is away."""
    try:
        return guests.shell(family, "stat -c %y /run/hypervisor/plugged").stdout
    except (HostUnreachable, EOFError):
        return ""
