"""What goes wrong between here and a host: cut, silent, slow, restarted, busy. On real guests with a real sshd."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lab.machine import run
from provisioning import hosts as hosts_module
from provisioning import ssh as ssh_module
from provisioning.errors import ProvisioningError
from provisioning.host import HostUnreachable
from provisioning.hosts import Hosts, StepFailed
from provisioning.keys import key_loader
from provisioning.ssh import Ssh
from provisioning.steps.step import Step
from tests.provisioning.proxy import proxy
from tests.steps.guests import StepGuests

pytestmark = pytest.mark.lab
FAMILY = "dnf"
COUNTED = """
check() { fact runs := "$(grep -c . /var/tmp/runs-$step 2>/dev/null || true)"; }
apply() { sleep "$seconds"; echo ran >>/var/tmp/runs-$step; }
revert() { rm -f /var/tmp/runs-$step; }
"""


def counted(name: str, seconds: float) -> Step:
    """A step that takes its time and counts how often it ran."""
    return Step(name=name, script=COUNTED, values={"seconds": str(seconds)}, wanted={"runs": "1"})


def new_hosts(guests: StepGuests) -> Hosts:
    """A pool of its own, as another run of the product has."""
    return Hosts(Ssh(key_loader(Path(guests.key_file).read_text())))


@contextmanager
def soon(seconds: float, act: object) -> Iterator[None]:
    """Do something while the block runs."""
    timer = threading.Timer(seconds, act)  # type: ignore[arg-type]
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_a_cut_connection_costs_nothing_and_the_step_runs_once(guests: StepGuests) -> None:
    place = guests.addresses[FAMILY]
    step, hosts = counted("cut", 2), new_hosts(guests)
    with proxy(place.host) as between:
        through = replace(place, host="127.0.0.1", port=between.port)
        with soon(1, between.cut):
            found = hosts.converge(through, step).found
        hosts.revert(through, step)
    assert found == {"runs": "1"}
    assert between.connections >= 2  # sshd of a busy machine may let one more wait too long


def test_a_half_open_link_ends_in_seconds_and_the_step_goes_on_when_it_is_back(
    guests: StepGuests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_module, "SILENCE_S", 3)
    monkeypatch.setattr(ssh_module, "KEEPALIVE_S", 1)
    place, step, hosts = guests.addresses[FAMILY], counted("silent", 2), new_hosts(guests)
    wire = guests.wire(FAMILY)
    started = time.monotonic()
    with soon(1, lambda: run("ip", "link", "set", wire, "down")), soon(9, lambda: run("ip", "link", "set", wire, "up")):
        assert hosts.converge(place, step).found == {"runs": "1"}
    assert time.monotonic() - started < 30
    hosts.revert(place, step)


def test_a_link_that_stays_away_is_a_clear_error_within_its_deadline(
    guests: StepGuests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_module, "BACK_AFTER_LOSS_S", 1.0)
    place, step, hosts = guests.addresses[FAMILY], counted("gone", 2), new_hosts(guests)
    with proxy(place.host) as between:
        through = replace(place, host="127.0.0.1", port=between.port)
        with soon(1, between.close), pytest.raises(HostUnreachable, match=r"step gone: .*lost"):
            hosts.converge(through, step)
    time.sleep(2)
    assert hosts.converge(place, step).found == {"runs": "1"}, "the next run found what the lost one did"
    hosts.revert(place, step)


def test_a_slow_host_that_drops_connections_is_reached_in_the_end(guests: StepGuests) -> None:
    place, step, hosts = guests.addresses[FAMILY], counted("slow", 0), new_hosts(guests)
    with proxy(place.host, delay_s=0.05, refuse=2) as between:
        through = replace(place, host="127.0.0.1", port=between.port)
        assert hosts.converge(through, step).changed
        assert between.connections == 3
        hosts.revert(through, step)


def test_a_host_that_restarts_on_the_way_is_gone_on_with(guests: StepGuests) -> None:
    place, hosts = guests.addresses[FAMILY], new_hosts(guests)
    script = COUNTED.replace("sleep", "[ -e /var/tmp/tried ] || { touch /var/tmp/tried; sleep 60; }; sleep")
    step = replace(counted("restart", 0), script=script)
    with soon(
        1.5,
        lambda: guests.shell(FAMILY, "systemd-run -q --on-active=1 --timer-property=AccuracySec=10ms systemctl reboot"),
    ):
        assert hosts.converge(place, step).found == {"runs": "1"}
    hosts.revert(place, step)
    guests.must(FAMILY, "rm /var/tmp/tried")


def test_two_runs_on_one_host_wait_for_each_other(guests: StepGuests) -> None:
    place, step = guests.addresses[FAMILY], counted("twice", 1)
    outcomes: list[bool] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(new_hosts(guests).converge(place, step).changed))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, True]
    new_hosts(guests).revert(place, step)


def test_a_host_that_another_run_keeps_busy_is_said(guests: StepGuests) -> None:
    place, step = guests.addresses[FAMILY], replace(counted("busy", 0), lock_timeout_s=2)
    holder = threading.Thread(target=guests.shell, args=(FAMILY, "flock /run/hypercompose.lock sleep 4"))
    holder.start()
    time.sleep(0.5)
    with pytest.raises(StepFailed, match="another run is busy on this host for more than 2 s"):
        new_hosts(guests).converge(place, step)
    holder.join()


def test_secrets_are_in_no_list_of_processes_and_in_no_check(guests: StepGuests) -> None:
    place, hosts = guests.addresses[FAMILY], new_hosts(guests)
    canary = "canary-5e1f"
    script = """
    check() { fact seen := "$(cat /var/tmp/seen-$step 2>/dev/null || true)"; }
    apply() { sleep 1; printf no >/var/tmp/seen-$step; echo "using $secret"; }
    revert() { rm -f /var/tmp/seen-$step; }
    """
    step = Step(name="canary", script=script, secrets={"secret": canary}, wanted={"seen": "no"})
    seen: list[str] = []
    read = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '"
    watch = f"for _ in $(seq 8); do {read}; sleep 0.1; done"
    watcher = threading.Thread(target=lambda: seen.append(guests.shell(FAMILY, watch).stdout))
    watcher.start()
    hosts.converge(place, step)
    watcher.join()
    assert len(seen[0]) > 1000
    assert canary not in seen[0]
    assert guests.shell(FAMILY, f"grep -r {canary} /var/lib/hypercompose").exit_code == 1
    hosts.revert(place, step)


def test_what_was_so_before_us_stays_so_after_us_whatever_happened_between(guests: StepGuests) -> None:
    place, hosts = guests.addresses[FAMILY], new_hosts(guests)
    script = """
    check() { fact word := "$(cat /var/tmp/word 2>/dev/null || true)"; }
    apply() { remember word "$(cat /var/tmp/word)"; keep_original /var/tmp/word; printf %s "$word" >/var/tmp/word; }
    revert() { printf %s "$(recall word)" >/var/tmp/word; disown_file /var/tmp/word; }
    """
    guests.must(FAMILY, "printf theirs >/var/tmp/word")
    step = Step(name="so", script=script, values={"word": "theirs"}, wanted={"word": "theirs"})
    assert not hosts.converge(place, step).changed
    guests.must(FAMILY, "printf by-hand >/var/tmp/word")
    assert hosts.converge(place, step).changed
    hosts.revert(place, step)
    assert guests.must(FAMILY, "cat /var/tmp/word") == "theirs"
    ours = Step(name="so", script=script, values={"word": "ours"}, wanted={"word": "ours"})
    assert not hosts.converge(place, step).changed
    assert hosts.converge(place, ours).changed
    hosts.revert(place, ours)
    assert guests.must(FAMILY, "cat /var/tmp/word; rm /var/tmp/word; test ! -e /var/lib/hypercompose") == "theirs"


def test_more_commands_at_once_than_sshd_allows_on_one_connection_all_run(guests: StepGuests) -> None:
    place, hosts = guests.addresses[FAMILY], new_hosts(guests)
    with ThreadPoolExecutor(24) as pool:
        codes = list(pool.map(lambda _: hosts.ask(place, "sleep 0.3", 30).exit_code, range(24)))
    assert codes == [0] * 24


def test_a_lock_on_a_host_has_one_holder_and_ends_with_the_connection(guests: StepGuests) -> None:
    place, first, second = guests.addresses[FAMILY], new_hosts(guests), new_hosts(guests)
    with first.holding(place, "stack-x", 5):
        late = second.holding(place, "stack-x", 1)
        with pytest.raises(ProvisioningError, match="stack-x: another run has worked on it for 1 s"), late:
            pass
        with second.holding(place, "stack-y", 1):
            pass
    with second.holding(place, "stack-x", 5):
        pass
