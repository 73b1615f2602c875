"""command:local:Command: a command on this machine."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import IO, Any

from setup.standins.command.outcome import CommandFailed, Outcome, failed, previous_output
from setup.standins.command.stops import Stops


def run(command: str, inputs: dict[str, Any], state: dict[str, str], stops: Stops) -> Outcome:
    """Run through the interpreter, `/bin/sh -c` by default; raises CommandFailed when it does not end with 0."""
    interpreter = inputs.get("interpreter") or ["/bin/sh", "-c"]
    env = {**os.environ, **(inputs.get("environment") or {}), **previous_output(state, inputs)}
    try:
        child = subprocess.Popen(
            [*interpreter, command],
            cwd=inputs.get("dir"),
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as problem:
        raise CommandFailed(f"fork/exec {problem.filename}: {problem.strerror}") from problem
    with stops.during(child.terminate):
        outcome = _outcome(child, str(inputs.get("stdin") or ""))
    if child.returncode:
        how = f"exit status {child.returncode}" if child.returncode > 0 else f"signal: {-child.returncode}"
        raise failed(how, command, outcome)
    return outcome


def _outcome(child: subprocess.Popen[bytes], stdin: str) -> Outcome:
    """Feed it and read both of its streams, which also go into one list in the order they came."""
    said: dict[str, list[bytes]] = {"stdout": [], "stderr": [], "both": []}
    readers = [
        threading.Thread(target=_read, args=(getattr(child, name), said[name], said["both"]))
        for name in ("stdout", "stderr")
    ]
    for reader in readers:
        reader.start()
    try:
        with child.stdin or open(os.devnull, "wb") as pipe:  # noqa: PTH123
            pipe.write(stdin.encode())
    except BrokenPipeError:
        pass  # it did not want to hear it
    for reader in readers:
        reader.join()
    child.wait()
    return Outcome(**{name: b"".join(pieces).decode("utf-8", "replace") for name, pieces in said.items()})


def _read(stream: IO[bytes], own: list[bytes], both: list[bytes]) -> None:
    """Collect a stream to its end."""
    while piece := stream.read1(65536):  # type: ignore[attr-defined]  # a pipe's reader is buffered
        own.append(piece)
        both.append(piece)
