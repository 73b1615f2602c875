"""Many at once, in processes of their own, all let go in the same moment."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hosting.database import open_database
from hosting.errors import HostingError
from hosting.request import request
from tests.hosting.world import NOW, demand

PATIENCE_S = 120
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload([__name__])  # what they import takes longer than what they do


def ask_at_once(url: str, demands: Sequence[dict[str, Any]], *, processes: int) -> list[tuple[str, str]]:
    """What came of each, as (id, "") or ("", cause), from as many processes with a thread per demand."""
    barrier, told = FORKED.Barrier(processes), FORKED.Queue()
    shares = [demands[index::processes] for index in range(processes)]
    crowd = [FORKED.Process(target=_process, args=(url, share, barrier, told)) for share in shares]
    for process in crowd:
        process.start()
    try:
        return [_said(told) for _ in demands]
    finally:
        for process in crowd:
            process.join(PATIENCE_S)
            process.kill()


def _said(told: Any) -> tuple[str, str]:
    try:
        found: tuple[str, str] = told.get(timeout=PATIENCE_S)
    except queue.Empty:
        raise AssertionError("a process said nothing") from None
    return found


def _process(url: str, share: Sequence[dict[str, Any]], barrier: Any, told: Any) -> None:
    database = open_database(url)

    def one(content: dict[str, Any]) -> tuple[str, str]:
        try:
            return database.transact(request, demand(**content), now=NOW).id, ""
        except HostingError as error:
            return "", type(error).__name__
        except Exception as error:
            return "", repr(error)

    with ThreadPoolExecutor(len(share)) as threads:
        barrier.wait(PATIENCE_S)
        for found in threads.map(one, share):
            told.put(found)
    database.close()
