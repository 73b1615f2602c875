#!/usr/bin/python3
"""What answers in place of PowerShell on a companion: it knows some scripts word by word, and refuses all others."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

KNOWN = Path("/companion/known-commands")
CALLS = Path("/companion/calls/log")
NAME = r"[A-Za-z0-9 ._-]+"
_CALL = re.compile(r"powershell -NoProfile -NonInteractive -EncodedCommand ([A-Za-z0-9+/=]+)")
_ERRORS = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<S S="Error">{message}_x000D__x000A_</S></Objs>'
)
"""How the real one writes errors when its command came encoded."""


class Answer(NamedTuple):
    """What a call gets back."""

    exit: int
    stdout: str = ""
    stderr: str = ""


UNEXPECTED = Answer(1, stderr="unexpected command\r\n")


def script_of(command: str) -> str | None:
    """The script in a command line; None when the line is not exactly of the form that is known."""
    found = _CALL.fullmatch(command)
    if not found:
        return None
    try:
        return base64.b64decode(found[1], validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return None


def answer(script: str | None, known: Mapping[str, Any]) -> Answer:
    """The answer that `known` has for a script; services that it does not name do not exist."""
    for entry in known["answers"] if script is not None else ():
        found = _pattern(entry["script"]).fullmatch(str(script))
        if not found:
            continue
        service = found.groupdict().get("service")
        if service is not None and service.lower() not in map(str.lower, known["services"]):
            return Answer(1, stderr=_ERRORS.format(message=_unknown(str(script), service)))
        stdout = str(entry.get("stdout", "")).replace("{service}", service or "")
        return Answer(int(entry.get("exit", 0)), stdout.replace("\n", "\r\n"), str(entry.get("stderr", "")))
    return UNEXPECTED


def main() -> int:
    """Answer the command that SSH was given."""
    command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    script = script_of(command)
    said = answer(script, json.loads(KNOWN.read_text()))
    call = {"time": time.time(), "command": command, "script": script, "exit": said.exit}
    with CALLS.open("a") as log:
        log.write(json.dumps(call, ensure_ascii=False) + "\n")
    sys.stdout.write(said.stdout)
    sys.stderr.write("powershell: a stand-in of the lab, not PowerShell\r\n" + said.stderr)
    return said.exit


def _pattern(script: str) -> re.Pattern[str]:
    """A known script, in which `{service}` stands for one name, the same wherever it stands."""
    first, *others = script.split("{service}")
    text = re.escape(first)
    for at, part in enumerate(others):
        text += (f"(?P<service>{NAME})" if at == 0 else "(?P=service)") + re.escape(part)
    return re.compile(text)


def _unknown(script: str, service: str) -> str:
    """What PowerShell says of a service that is not there."""
    verb = re.search(r"\b([A-Z][a-z]+-Service)\b", script)
    return f"{verb[1] if verb else 'Get-Service'} : Cannot find any service with service name '{service}'."


if __name__ == "__main__":
    sys.exit(main())
