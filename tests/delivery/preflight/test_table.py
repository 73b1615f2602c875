"""What people read and what programs read, whatever the values are."""

from __future__ import annotations

import json

import pytest

from delivery.preflight.check import About, Check, Status, exit_code, told
from delivery.preflight.table import Report, plain
from provisioning.errors import ProvisioningError

HOSTILE = "a|b $(reboot) 'x' \"y\" <script>\nFAIL\x1b[2J\x00 ünï 🐘 ‮"
PASSED = About(name="node", subject="pve1").passed("online")
FAILED = About(name="vm id", subject="1100 vm-a", field="Pulumi.dev.yaml: vms[0].first_id").failed(
    "taken", "choose another"
)
UNKNOWN = About(name="token").unknown("nobody answers")


def report(*checks: Check) -> Report:
    return Report(stack="dev", site="lab", seconds=1.234, checks=checks)


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([PASSED], 0),
        ([PASSED, FAILED], 1),
        ([PASSED, UNKNOWN], 3),
        ([UNKNOWN, FAILED], 1),
        ([], 3),  # nothing was asked: that is not "all is well"
    ],
)
def test_the_exit_code_tells_failed_from_unknown(checks: list[Check], code: int) -> None:
    assert exit_code(checks) == code


def test_the_table_has_a_line_for_each_with_remedy_and_setting_below() -> None:
    assert list(report(PASSED, FAILED, UNKNOWN).table()) == [
        "pass         node   pve1       online",
        "FAIL         vm id  1100 vm-a  taken",
        "                               -> choose another",
        "                                  Pulumi.dev.yaml: vms[0].first_id",
        "not checked  token             because nobody answers",
        "",
        "preflight of stack dev on site lab: 1 passed, 1 failed, 1 not checked (1.2 s)",
    ]


def test_hostile_values_make_no_lines_and_steer_no_terminal() -> None:
    hostile = About(name=HOSTILE, subject=HOSTILE, field=HOSTILE).failed(HOSTILE, HOSTILE)
    lines = list(report(hostile, PASSED).table())
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith(("pass", "FAIL", "not checked")) for line in lines) == 2
    assert r"\nFAIL\x1b[2J\x00" in plain(HOSTILE)
    assert "$(reboot) 'x' \"y\" <script>" in plain(HOSTILE)


def test_the_data_says_the_same_and_keeps_every_byte() -> None:
    hostile = About(name="x", subject=HOSTILE).failed(HOSTILE, "")
    content = json.loads(report(hostile, UNKNOWN).data())
    assert content["checks"][0]["detail"] == HOSTILE
    assert content["checks"][1] == {
        "name": "token",
        "subject": "",
        "status": "not checked",
        "detail": "because nobody answers",
        "remedy": "",
        "field": "",
    }
    assert content["counts"] == {"pass": 0, "fail": 1, "not checked": 1}
    assert (content["version"], content["stack"], content["site"], content["exit_code"]) == (1, "dev", "lab", 1)


def test_long_details_go_on_below_themselves() -> None:
    long = About(name="node").failed("word " * 60, "do " * 60)
    lines = list(report(long).table())[:-2]
    assert all(len(line) <= 100 for line in lines)
    assert sum(line.count("word") for line in lines) == 60


def test_an_error_of_the_project_parts_into_detail_and_remedy() -> None:
    assert told(ProvisioningError("x: refused; do this; or that")) == ("x: refused", "do this; or that")
    assert told(ProvisioningError("x: refused"), "otherwise") == ("x: refused", "otherwise")
    assert told(TypeError())[0] == "TypeError"
    assert told(TypeError())[1], "nothing fails without a remedy"
    assert About(name="x").refused(ProvisioningError("a; b")).status is Status.FAILED
