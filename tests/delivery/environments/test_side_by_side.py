"""Environments side by side: the list, the table of what differs, two compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from delivery.environments.catalog import environment, environments
from delivery.environments.difference import difference
from delivery.environments.flat import flat
from delivery.environments.listing import data, lines, text
from delivery.environments.matrix import matrix
from tests.delivery.environments.conftest import NET, write

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
STATE = {
    "outputs": {"program": {"version": "0.1.0", "commit": "abc"}},
    "updated": "2026-11-23T11:00:00+00:00",
    "drift": {"verdict": "drifted", "at": "2026-11-25T09:00:00Z"},
}


def test_the_list_tells_class_site_hosts_version_drift_and_last_update(checkout: Path) -> None:
    listed = lines(environments(checkout), {"acceptance": STATE})
    shown = list(text(listed, NOW))
    assert shown[0].split() == ["STACK", "CLASS", "SITE", "HOSTS", "VERSION", "DRIFT", "UPDATED"]
    assert "vm-acceptance-app-1, vm-acceptance-app-2  0.1.0 abc  drifted, 3 h ago  2 d ago" in shown[1]
    assert shown[2].split() == ["small", "-", "lab", "vm-small", "-", "-", "-"]
    assert data(listed)[0]["drift"] == "drifted 2026-11-25T09:00:00Z"


def test_a_stack_with_wrong_settings_or_a_broken_state_is_listed_with_the_reason(checkout: Path) -> None:
    write(checkout, "wrong", vms=[{"prefix": "x", "networks": [NET]}])
    (checkout / "Pulumi.torn.yaml").write_text("config: [")
    listed = lines(environments(checkout), {"small": {"error": "cut after 3 bytes\nforged line"}})
    shown = "\n".join(text(listed, NOW))
    assert "wrong: Pulumi.wrong.yaml: vms[0].first_id: missing" in shown
    assert "torn: Pulumi.torn.yaml: config: not settings by name in YAML" in shown
    assert "small: cut after 3 bytes·forged line" in shown


def test_an_encrypted_value_among_the_settings_is_a_word_and_no_mistake(checkout: Path) -> None:
    stack = {"project": "guestbook", "env": {"TOKEN": {"secure": "v1:canary"}}}
    write(checkout, "sealed", vms=[{"name": "vm-s", "first_id": 8100, "networks": [NET]}], stacks={"shop": stack})
    found = environment("sealed", checkout)
    assert found.error is None
    assert flat(found)["stacks.shop.env.TOKEN"] == "[secret]"


def test_the_table_shows_only_what_differs_with_the_layers_applied(checkout: Path) -> None:
    table = "\n".join(matrix(environments(checkout)))
    assert "| `vms[0].memory_mib` |   | `512` |" in table
    assert "| `docker.users` | `ops` |   |" in table  # from the class
    assert "hypercompose:site" not in table


def test_many_stacks_are_grouped_by_value(checkout: Path) -> None:
    for number in range(8):
        write(checkout, f"c{number}", vms=[{"prefix": f"vm-c{number}", "first_id": 7000 + number, "networks": [NET]}])
    table = "\n".join(matrix(environments(checkout)))
    assert "| `class` |   | 9: `c0`, `c1`, `c2`, `c3`, `c4`, 4 more |" in table
    assert "| `class` | `base` | 1: `acceptance` |" in table


def test_hostile_values_stay_in_their_cells(checkout: Path) -> None:
    hostile = "a|b`<script>$(reboot)"
    write(checkout, "odd", vms=[{"name": "vm-odd", "first_id": 8000, "networks": [NET], "cpu_type": hostile}])
    rows = [line for line in matrix(environments(checkout)) if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    assert "<script>" not in "".join(rows)


def test_two_are_compared_by_settings_and_by_what_runs(checkout: Path) -> None:
    def outputs(image: str) -> dict[str, object]:
        return {"stacks": {"shop": {"commit": "c" * 40, "images": {"web": image}}}}

    running = {"acceptance": outputs(f"r/web@sha256:{'a' * 64}"), "small": outputs(f"r/web@sha256:{'b' * 64}")}
    told = "\n".join(difference(environment("acceptance", checkout), environment("small", checkout), running))
    assert "| `vms[0].prefix` | `vm-acceptance-app` |   |" in told
    (row,) = [line for line in told.splitlines() if line.startswith("| `shop web` |")]
    assert f"sha256:{'a' * 12}`" in row
    assert f"sha256:{'b' * 12}`" in row
    assert "shop commit" not in told  # the same in both


def test_a_stack_that_never_ran_is_said(checkout: Path) -> None:
    told = "\n".join(difference(environment("acceptance", checkout), environment("small", checkout), {}))
    assert "`small` has not run yet." in told


def test_the_same_settings_do_not_differ(checkout: Path) -> None:
    (checkout / "Pulumi.twin.yaml").write_text((checkout / "Pulumi.small.yaml").read_text())
    assert flat(environment("twin", checkout)) == flat(environment("small", checkout))
    assert "They do not differ." in list(matrix([environment("twin", checkout), environment("small", checkout)]))
