"""The report as people read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from delivery.drift.report import Change, Examined, Report, Status
from delivery.drift.text import lines
from tests.delivery.drift.recorded import report


def shown(found: Report) -> str:
    return "\n".join(lines(found))


def test_a_clean_stack_is_one_line() -> None:
    assert shown(report("clean")) == "apps on lab-e2e, 2026-11-25T17:00:00Z: clean: 21 clean"


def test_drift_is_grouped_by_host_and_component_with_what_happens_next() -> None:
    assert (
        shown(report("drift-pending"))
        == """\
apps on lab-e2e, 2026-11-25T17:00:00Z: DRIFTED: 6 drifted (7 properties), 15 clean

vm-apps
  RockyAppVm
    VmLegacy vm-apps-vm -> puts it back
      memory.dedicated: 2048 => 3072
  HostBaseline
    Sysctl vm-apps-sysctl -> puts it back
      settings["net.ipv4.tcp_fin_timeout"]: "45" => "60"
  DockerHost
    DockerDaemon vm-apps-docker-daemon -> puts it back
      config["log-opts"]["max-size"]: "10m" => "99m"
      state: "as wanted" => "the running daemon has older settings than /etc/docker/daemon.json"
  PortainerStack
    Stack echo -> puts it back
      state: "as wanted" => "echo has no container"
    Stack guestbook -> puts it back
      state: "as wanted" => "web is exited (0)"

vm-plain
  HostBaseline
    Sysctl vm-plain-sysctl -> puts it back
      settings["net.ipv4.tcp_fin_timeout"]: "45" => "61"

Settings not applied yet (no drift; the next `up` does it):
  vm-plain: Sysctl vm-plain-sysctl: update: settings["net.ipv4.tcp_fin_timeout"], settings["net.ipv4.tcp_syncookies"]
  vm-apps: Sysctl vm-apps-sysctl: update: settings["net.ipv4.tcp_fin_timeout"], settings["net.ipv4.tcp_syncookies"]

`make up ARGS=--refresh` does what stands after ->; `make refresh` takes what is there into the state instead."""
    )


def test_what_is_gone_is_made_again_and_what_that_replaces_is_said() -> None:
    text = shown(report("gone"))
    assert "    VmLegacy vm-plain-vm -> makes it again\n      there => gone\n" in text
    follows = text.partition("What follows from the drift at the next `up`:\n")[2]
    assert follows.startswith("  replace: ")
    assert "Sysctl vm-plain-sysctl" in follows


def test_one_line_says_why_a_host_is_unknown_however_many_its_steps() -> None:
    text = shown(report("stopped"))
    assert "4 unknown" in text
    assert "  UNKNOWN (HostBaseline 3): ops@10.96.0.32:22: [Errno 113] No route to host\n" in text
    assert text.count("UNKNOWN (") == 2


def test_where_no_plan_could_be_made_nothing_is_promised() -> None:
    text = shown(report("vm-595"))
    assert "Sysctl vm-apps-sysctl -> what `up` does is not known" in text
    assert text.endswith(
        "What the next `up` does is not known: vm-plain-vm could not be read, and the engine makes no plan without"
    )


HOSTILE = 'x\n$(reboot) "q" <script>|ünï 🐘\x1b[31m\x00'


def hostile(**of: object) -> Report:
    one = Examined(
        urn="urn:pulumi:a::p::m:M:C$m:M:T::thing",
        component="C",
        kind="T",
        host="h",
        status=Status.DRIFTED,
        changes=(Change(property="a", recorded=HOSTILE, found=[HOSTILE]),),
    )
    return replace(report("clean"), resources=(replace(one, **of),))  # type: ignore[arg-type]


@pytest.mark.parametrize("of", [{}, {"status": Status.UNKNOWN, "reason": HOSTILE, "changes": ()}])
def test_hostile_values_stay_on_their_line_and_do_not_reach_the_terminal(of: dict[str, object]) -> None:
    text = list(lines(hostile(**of)))
    assert all(line.isprintable() for line in text), text
    assert any("$(reboot)" in line for line in text)


def test_a_long_value_is_cut_and_one_that_is_not_there_is_said() -> None:
    text = shown(hostile(changes=(Change(property="inline", recorded="x" * 5000, found=None),)))
    assert "… (5002 characters) => (not there)" in text
    assert len(text) < 600
