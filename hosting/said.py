"""What the engine said: why something failed, in a sentence, and who holds a stack."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path

LONGEST = 1000
_PREFIXES = re.compile(
    r"^(Exception calling application: |an unhandled error occurred: |python inline source runtime error: )+"
)
_TRACE = re.compile(r" Traceback \(most recent call last\): .*")
_ENDED = re.compile(r"(update|preview|refresh|destroy) failed")
"""Of the stack as a whole, beside why."""
_LABEL = re.compile(r"^(stdout:|stderr:|code: -?\d+)\s*")
"""Of a command's result as the Automation API shows it."""
_HOLDER = re.compile(r"created by .*?@(?P<host>[^\s@]+) \(pid (?P<pid>\d+)\)")


def reasons(messages: Iterable[str]) -> str:
    """Each once, in one line, without what the engine puts around it."""
    told = [_TRACE.sub("", _PREFIXES.sub("", " ".join(message.split()))) for message in messages]
    return "; ".join(dict.fromkeys(reason for reason in told if reason and not _ENDED.fullmatch(reason)))


def last_words(said: str) -> str:
    """The end of what a command printed: its errors, where it names some."""
    lines = [line for line in (_LABEL.sub("", each.strip()) for each in said.splitlines()) if line]
    errors = [line for line in lines if "error:" in line]
    return " | ".join((errors or lines)[-3:])[-LONGEST:] or "the engine said nothing"


def is_held_by_the_dead(said: str) -> bool:
    """Whether all who hold the stack were processes of this machine, and are gone."""
    holders = list(_HOLDER.finditer(said))
    return bool(holders) and all(
        found["host"] == socket.gethostname() and not _is_engine(found["pid"]) for found in holders
    )


def _is_engine(pid: str) -> bool:
    """A process id is used again some day, after a start of the machine soon: what is no pulumi holds no lock."""
    try:
        os.kill(int(pid), 0)
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's, who does not let us look
