"""System steps on guests: what they refuse and in which words, and what they leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provisioning.hosts import StepFailed
from provisioning.steps.kinds import BY_NAME
from tests.steps.cases import FAMILIES
from tests.steps.guests import DISK, StepGuests

pytestmark = pytest.mark.lab
each_family = pytest.mark.parametrize("family", FAMILIES)
INSTALL = {"dnf": "dnf -y -q install", "apt": "apt-get -q update && apt-get -q -y install"}
REMOVE = {"dnf": "dnf -y -q remove", "apt": "apt-get -q -y purge"}


def refused(guests: StepGuests, family: str, kind: str, args: Mapping[str, Any]) -> str:
    """What a step says that fails."""
    with pytest.raises(StepFailed) as said, guests.converged(family, kind, args):
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
    guests.must(family, "findmnt -n -t tmpfs /srv/m && umount /srv/m && mount -t tmpfs nas.example:/export/a /srv/m")
    gone = BY_NAME["Mount"].step("test-mount", {**args, "device": "LABEL=gone"})
    assert guests.hosts.look(guests.addresses[family], gone)["device"] == "nas.example:/export/a"
    guests.must(family, f"umount /srv/m && mount {DISK} /srv/m")
    with guests.converged(family, "Mount", args):
        pass
    guests.must(family, "findmnt -n -t ext4 /srv/m && umount /srv/m && rmdir /srv/m")


@each_family
def test_packages_that_were_there_or_that_others_need_stay(guests: StepGuests, family: str) -> None:
    guests.must(family, f"{INSTALL[family]} tree")
    library = {"dnf": "oniguruma", "apt": "libonig5"}[family]
    with guests.converged(family, "Packages", {"packages": ["tree", library]}):
        guests.must(family, f"{INSTALL[family]} jq")
    guests.must(family, "tree --version && echo 1 | jq .")
    guests.must(family, f"{REMOVE[family]} jq tree {library}")


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
