"""What holds for every kind of step, without a host."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from provisioning.steps.kinds import KINDS
from provisioning.steps.step import MASK, assignments
from tests.steps.cases import Case, all_cases

CASES = all_cases()


def test_every_kind_has_a_case() -> None:
    assert {kind.name for kind in KINDS} == {case.kind for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_is_whole(case: Case) -> None:
    assert case.changed or case.not_run
    assert case.hostile, "no hostile value"
    assert case.reverted != "true"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_arguments_are_taken_and_hostile_ones_refused_by_property(case: Case) -> None:
    fresh = json.loads(json.dumps(case.fresh).replace("LAB:", "-----BEGIN PGP PUBLIC KEY BLOCK-----"))
    for args in filter(None, (fresh, case.other)):
        assert list(case.tested.problems(args)) == []
    for hostile in case.hostile:
        found = [problem.property for problem in case.tested.problems(hostile["args"])]
        assert found == ([hostile["refused"]] if "refused" in hostile else []), hostile


@pytest.mark.parametrize("case", CASES, ids=str)
def test_programs_are_valid_shell_and_values_stand_in_assignments_alone(case: Case) -> None:
    taken = [case.fresh, case.other, *(h["args"] for h in case.hostile if "refused" not in h)]
    scripts = set()
    for args in filter(None, taken):
        step = case.tested.step("x", args)
        scripts.add(step.script)
        for program in (step.check_program(), step.converge_program(), step.revert_program()):
            done = subprocess.run(["bash", "-n"], input=program.encode(), capture_output=True, check=False)
            assert done.returncode == 0, done.stderr.decode()
    assert len(scripts) == 1, "a script holds a value"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_secret_is_in_a_check_or_in_a_masked_rendering(case: Case) -> None:
    step = case.tested.step("x", case.fresh)
    for secret in step.secrets.values():
        assert secret not in step.check_program()
        assert secret not in step.masked()
        assert MASK in step.masked()
        assert secret not in step.redacted(f"failed: {secret} refused")


@pytest.mark.parametrize(
    "value",
    ["$(touch /tmp/pwned)", "`id`", "a'b\"c", "line\nline", "tab\there", "ünïcode 🐘", "--flag", "\\n", "", "*"],
)
def test_a_value_arrives_in_the_shell_as_it_was(value: str) -> None:
    values: dict[str, Any] = {"text": value, "items": [value, "x"], "pairs": {"k" + value: value}}
    program = "\n".join(assignments(values)) + '\nprintf \'%s\\0\' "$text" "${items[@]}" "${!pairs[@]}" "${pairs[@]}"'
    said = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, check=True).stdout.decode()
    assert said.split("\0")[:-1] == [value, value, "x", "k" + value, value]


def test_a_value_that_no_variable_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        list(assignments({"text": "a\0b"}))
