"""The stand-in for PowerShell answers what it knows, word by word, and nothing else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from lab.companion.place import ANSWERS
from lab.companion.powershell.stand_in import UNEXPECTED, answer, script_of

KNOWN: dict[str, Any] = {
    "services": ["CasinoBilling"],
    "answers": [
        {"script": "Restart-Service -Name '{service}'; (Get-Service '{service}').Status", "stdout": "{service}: up\n"},
        {"script": "exit 3", "exit": 3, "stderr": "no"},
    ],
}


def encoded(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode()


def test_a_script_is_read_from_the_one_form_of_command_line() -> None:
    line = f"powershell -NoProfile -NonInteractive -EncodedCommand {encoded('exit 3')}"
    assert script_of(line) == "exit 3"
    for other in (
        line.replace("-NoProfile ", ""),
        f"{line} -File x",
        f"{line}; rm",
        line[:-1],
        "powershell -Command exit",
        "",
    ):
        assert script_of(other) is None


def test_a_placeholder_takes_one_name_and_the_same_everywhere() -> None:
    done = answer("Restart-Service -Name 'CasinoBilling'; (Get-Service 'CasinoBilling').Status", KNOWN)
    assert done == (0, "CasinoBilling: up\r\n", "")
    assert answer("Restart-Service -Name 'CasinoBilling'; (Get-Service 'Other').Status", KNOWN) == UNEXPECTED
    assert answer("Restart-Service -Name 'a';b'; (Get-Service 'a';b').Status", KNOWN) == UNEXPECTED


def test_a_service_that_is_not_there_gets_the_words_of_the_real_one() -> None:
    done = answer("Restart-Service -Name 'Nobody'; (Get-Service 'Nobody').Status", KNOWN)
    assert done.exit == 1 and "Restart-Service : Cannot find any service with service name 'Nobody'." in done.stderr


@pytest.mark.parametrize("script", [None, "", "exit 4", "exit 3 ", "EXIT 3"])
def test_everything_else_is_unexpected(script: str | None) -> None:
    assert answer(script, KNOWN) == UNEXPECTED
    assert answer("exit 3", KNOWN) == (3, "", "no")


def test_the_labs_own_answers_are_read() -> None:
    known = yaml.safe_load(ANSWERS.read_text())
    assert known["services"] == ["CasinoBilling", "CasinoLoyalty", "CasinoFloor"]
    for entry in known["answers"]:
        assert answer(entry["script"].replace("{service}", "CasinoFloor"), known).exit == entry["exit"]
