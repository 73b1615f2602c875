"""Variables that settings may give: their types, and what is no value of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from settings.parameter import LONGEST, Parameter

NUMBER = Parameter(type="integer", default="2", minimum=1, maximum=16)
CHOICE = Parameter(type="choice", choices=("de_DE", "en_US"), default="en_US")
SWITCH = Parameter(type="boolean", default="false")
NAME = Parameter(pattern="[a-z]{1,8}", default="admin")
FREE = Parameter()
ALL = [NUMBER, CHOICE, SWITCH, NAME, FREE]
HOSTILE = "a b'c\"d$HOME ${X} $(reboot) `id` #no \\n\nsecond line\tab ünï 🐘 "


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        (NUMBER, 5, "5"),
        (NUMBER, "16", "16"),
        (CHOICE, "de_DE", "de_DE"),
        (SWITCH, True, "true"),
        (SWITCH, "false", "false"),
        (NAME, "zoe", "zoe"),
        (FREE, HOSTILE, HOSTILE),
        (FREE, "", ""),
        (FREE, 5, "5"),
    ],
)
def test_a_value_becomes_what_compose_files_carry(parameter: Parameter, value: Any, text: str) -> None:
    assert parameter.checked(value) == text


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (NUMBER, 17, "an integer from 1 to 16"),
        (NUMBER, "0", "an integer from 1 to 16"),
        (NUMBER, True, "an integer"),
        (NUMBER, 2.0, "an integer"),
        (NUMBER, " 5", "an integer"),
        (NUMBER, "\u0665", "an integer"),
        (NUMBER, "0x5", "an integer"),
        (NUMBER, "5\n", "an integer"),
        (NUMBER, None, "an integer"),
        (CHOICE, "fr_FR", "one of de_DE, en_US"),
        (SWITCH, "yes", "true or false"),
        (SWITCH, 1, "true or false"),
        (NAME, "zoe\n", "text like"),
        (NAME, "$(reboot)", "text like"),
        (FREE, "a\0b", f"text of up to {LONGEST}"),
        (FREE, "\ud800", "text of up to"),
        (FREE, "x" * (LONGEST + 1), "text of up to"),
        (FREE, ["a"], "text of up to"),
    ],
)
def test_what_is_no_value_is_answered_with_what_is(parameter: Parameter, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parameter.checked(value)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"type": "choice"}, "`choices` where type is choice"),
        ({"choices": ["a"]}, "`choices` where type is choice"),
        ({"minimum": 1}, "`minimum` and `maximum` where type is integer"),
        ({"type": "integer", "default": 5, "pattern": "x"}, "`pattern` where type is text"),
        ({"pattern": "("}, "a regular expression as `pattern`"),
        ({"required": True, "default": "x"}, "either `required` or a `default`"),
        ({"type": "integer"}, "an integer"),
        ({"type": "integer", "default": 0, "minimum": 1}, "an integer from 1"),
        ({"type": "choice", "choices": ["a"], "default": "b"}, "one of a"),
        ({"pattern": "[a-z]+", "default": "A"}, r"text like \[a-z\]\+"),
        ({"type": "number"}, "'text', 'integer', 'boolean' or 'choice'"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declared: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Parameter.model_validate(declared)


def test_defaults_may_be_written_without_quotes() -> None:
    assert Parameter.model_validate({"type": "integer", "default": 5}).default == "5"
    assert Parameter.model_validate({"type": "boolean", "default": True}).default == "true"


@pytest.mark.parametrize("parameter", ALL, ids=lambda parameter: parameter.type)
def test_a_schema_is_one_and_its_default_meets_it(parameter: Parameter) -> None:
    schema = parameter.json_schema()
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(schema["default"])


@given(value=st.one_of(st.text(), st.integers(), st.booleans(), st.sampled_from(["de_DE", "5", "true", "zoe"])))
def test_what_the_schema_takes_is_taken_and_becomes_text(value: str | int | bool) -> None:
    for parameter in ALL:
        if Draft202012Validator(parameter.json_schema()).is_valid(value):
            assert isinstance(parameter.checked(value), str)
