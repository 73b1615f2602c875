"""Runs one Pulumi program, in the program's own interpreter: `python program.py`, what to run as JSON on stdin.

Imports nothing of this project: the program's environment need not know it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SAID_WHY = 32
"""Exit code for "the person has been told what went wrong": the engine need not add anything."""


def main() -> int:
    """Run the program that stdin describes; its exit code."""
    request = json.load(sys.stdin)
    # What was read may hold secrets, and a program that reads stdin must find it empty, not wait on it.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    import pulumi
    import pulumi.runtime

    pulumi.runtime.set_all_config(request["config"], request["secret_keys"])
    pulumi.runtime.configure(pulumi.runtime.Settings(**request["settings"]))
    os.chdir(request["pwd"])
    sys.argv = [request["program"], *request["args"]]
    program = Path(request["program"]).resolve()
    # In place of this file's own folder, whose modules the program must not see.
    sys.path[0] = str(program if program.is_dir() else program.parent)
    try:
        return _run(request["program"], request["settings"]["parallel"])
    except pulumi.RunError as refusal:
        pulumi.log.error(str(refusal))
    except Exception as problem:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{readable(problem, request['program'])}")
    return SAID_WHY


def _run(program: str, parallel: int) -> int:
    """Run the program inside its stack, with as many threads for blocking calls as the engine allows."""
    import pulumi.runtime

    # When one resource fails, others' futures are dropped unread; asyncio would fill the screen with that.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(parallel, 1) * 4))
    loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _execute(program)))
    return 0


def _execute(program: str) -> None:
    """The program as if typed on a command line: a folder means its __main__.py."""
    runpy.run_path(program, run_name="__main__")


def readable(problem: BaseException, program: str) -> str:
    """The traceback from the person's own first line on; frames of runpy and of the SDK above it say nothing."""
    report = traceback.TracebackException.from_exception(problem)
    home = str(Path(program).resolve().parent if Path(program).is_file() else Path(program).resolve())
    own = [i for i, frame in enumerate(report.stack) if frame.filename.startswith(home) and frame.filename != __file__]
    if own:
        report.stack = traceback.StackSummary.from_list(list(report.stack)[own[0] :])
    return "".join(report.format())


def _leave(code: Any) -> None:
    """Leave at once: gRPC's threads take up to a second to wind down, and nothing is left to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        _leave(main())
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        _leave(leaving.code if isinstance(leaving.code, int) else 1 if leaving.code else 0)
    except KeyboardInterrupt:
        _leave(130)
