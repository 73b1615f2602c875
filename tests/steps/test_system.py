"""System steps on guests: what they refuse and in which words, what they leave alone, updates that really arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from provisioning.hosts import StepFailed
from provisioning.steps.kinds import BY_NAME
from tests.steps.cases import FAMILIES
from tests.steps.guests import DISK, StepGuests

pytestmark = pytest.mark.lab
each_family = pytest.mark.parametrize("family", FAMILIES)
UPDATER = {"dnf": "dnf-automatic.service", "apt": "apt-daily.service apt-daily-upgrade.service"}
TREE = {"dnf": "rpm -q --qf '%{RELEASE}' tree", "apt": "dpkg-query -W -f '${Version}' tree"}
OLD_TREE = {
    "dnf": "dnf -y -q install tree-2.2.1-1.el9",
    "apt": "apt-get -q update && apt-get -q -y install tree=2.2.1-1",
}
NEW_TREE = {"dnf": "2.el9", "apt": "2.2.1-1+lab1"}


@contextmanager
def converged(guests: StepGuests, family: str, kind: str, args: Mapping[str, Any]) -> Iterator[None]:
    """The step on a guest for the while."""
    step = BY_NAME[kind].step(f"test-{kind.lower()}", args)
    try:
        guests.hosts.converge(guests.addresses[family], step)
        yield
    finally:
        guests.hosts.revert(guests.addresses[family], step)


def refused(guests: StepGuests, family: str, kind: str, args: Mapping[str, Any]) -> str:
    """What a step says that fails."""
    with pytest.raises(StepFailed) as said, converged(guests, family, kind, args):
        pass
    return str(said.value)


@each_family
@pytest.mark.parametrize(
    ("kind", "args", "words"),
    [
        ("TimeZone", {"timezone": "Europe/Atlantis"}, "timezone: this host knows no Europe/Atlantis"),
        ("Sysctl", {"settings": {"net.ipv4.no_such": 1}}, "the kernel of this host has no net.ipv4.no_such"),
        (
            "Sysctl",
            {"settings": {"net.ipv4.tcp_fin_timeout": "x"}},
            "the kernel refuses x for net.ipv4.tcp_fin_timeout",
        ),
        ("Packages", {"packages": ["no-such-package"]}, "no package no-such-package in the repositories of this host"),
        ("Swap", {"size_mib": 64}, "takes no swap file"),
        ("Mount", {"device": "/dev/no", "mount": "/srv/m", "filesystem": "ext4"}, "/dev/no is not there on this host"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_a_refusal_says_what_is_wrong(guests: StepGuests, family: str, kind: str, args: Any, words: str) -> None:
    assert words in refused(guests, family, kind, args)
    guests.must(family, "test ! -e /var/lib/hypercompose && test ! -e /srv/m")


@each_family
def test_a_file_that_wins_at_the_next_boot_is_named(guests: StepGuests, family: str) -> None:
    theirs = "/etc/sysctl.d/99-theirs.conf"
    guests.must(family, f"echo 'net.ipv4.tcp_fin_timeout=50' >{theirs}")
    said = refused(guests, family, "Sysctl", {"settings": {"net.ipv4.tcp_fin_timeout": 30}})
    guests.must(family, f"rm {theirs}")
    assert f"{theirs}: net.ipv4.tcp_fin_timeout = 50 would win over what is wanted here" in said


@each_family
def test_nothing_of_somebody_else_is_mounted_over_formatted_or_unmounted(guests: StepGuests, family: str) -> None:
    args = {"device": DISK, "mount": "/srv/m", "filesystem": "ext4"}
    guests.must(family, f"wipefs -qa {DISK}")
    assert "holds no filesystem, wanted is ext4; nothing is formatted here" in refused(guests, family, "Mount", args)
    guests.must(family, f"mkfs.ext4 -q -F {DISK} && mkdir -p /srv/m && touch /srv/m/mine")
    assert "/srv/m is not empty" in refused(guests, family, "Mount", args)
    assert "holds ext4, wanted is xfs" in refused(guests, family, "Mount", {**args, "filesystem": "xfs"})
    guests.must(family, "rm /srv/m/mine && mount -t tmpfs theirs /srv/m")
    assert "is mounted at /srv/m already" in refused(guests, family, "Mount", args)
    guests.must(family, f"findmnt -n -t tmpfs /srv/m && umount /srv/m && mount {DISK} /srv/m")
    with converged(guests, family, "Mount", args):
        pass
    guests.must(family, "findmnt -n -t ext4 /srv/m && umount /srv/m && rmdir /srv/m")


@each_family
def test_packages_that_were_there_or_that_others_need_stay(guests: StepGuests, family: str) -> None:
    guests.must(family, OLD_TREE[family])
    library = {"dnf": "oniguruma", "apt": "libonig5"}[family]
    with converged(guests, family, "Packages", {"packages": ["tree", library]}):
        guests.must(family, {"dnf": "dnf -y -q install jq", "apt": "apt-get -q -y install jq"}[family])
    guests.must(family, "tree --version && echo 1 | jq .")
    guests.must(family, f"{'dnf -y -q remove' if family == 'dnf' else 'apt-get -q -y purge'} jq tree {library}")


@each_family
def test_only_the_updates_of_the_policy_arrive(guests: StepGuests, family: str) -> None:
    guests.must(family, OLD_TREE[family])
    with converged(guests, family, "Updates", {"policy": "none", "reboot": "never"}):
        guests.must(family, "sleep 1")
    assert guests.must(family, TREE[family]) != NEW_TREE[family]
    with converged(guests, family, "Updates", {"policy": "security", "reboot": "never"}):
        guests.must(family, f"for unit in {UPDATER[family]}; do systemctl start $unit; done")
        assert guests.must(family, TREE[family]) == NEW_TREE[family]
    guests.must(family, f"{'dnf -y -q remove' if family == 'dnf' else 'apt-get -q -y purge'} tree")


@each_family
def test_a_host_restarts_after_the_updater_and_only_where_an_update_asks_for_it(
    guests: StepGuests, family: str
) -> None:
    # `systemctl` of this one service notes what it is told
    unit, fake = "hypercompose-reboot.service", "/root/fake"
    with converged(guests, family, "Updates", {"policy": "security", "reboot": "window", "window": "03:00"}):
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
        guests.must(family, f"{asks}; systemctl start {unit} && grep -q ^reboot {fake}/said")
        guests.must(family, f"rm -rf {fake} /run/reboot-required /run/systemd/system/{unit}.d; systemctl daemon-reload")


@each_family
def test_a_check_takes_less_than_a_few_tenths_of_a_second(guests: StepGuests, family: str) -> None:
    timed: Mapping[str, Mapping[str, Any]] = {
        "TimeZone": {"timezone": "UTC"},
        "Sysctl": {"settings": {"net.ipv4.tcp_fin_timeout": 30, "net.ipv4.ip_forward": 1}},
        "Journald": {"max_use_mib": 64},
        "Packages": {"packages": ["tree", "jq"]},
        "TimeSync": {"servers": ["ntp.example.com"]},
        "Updates": {"policy": "security", "reboot": "window", "window": "03:00"},
        "Mount": {"device": DISK, "mount": "/srv/m", "filesystem": "ext4"},
        "Swap": {"size_mib": 0},
    }
    took = {}
    for kind, args in timed.items():
        program = BY_NAME[kind].step("timed", args).check_program()
        lines = [f"cat >/run/timed <<'END'\n{program}\nEND", "bash /run/timed >/dev/null", "began=$(date +%s%N)"]
        lines.append(
            "for _ in 1 2 3 4 5; do bash /run/timed >/dev/null; done; echo $((($(date +%s%N) - began) / 5000000))"
        )
        took[kind] = int(guests.must(family, "\n".join(lines)))
    print(family, took)
    assert max(took.values()) < 400, took
