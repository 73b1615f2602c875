"""Serves the pack: the language host runs this folder, which prints its port and answers until the engine ends it."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# In place of this folder, whose modules must not hide those of others
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import grpc  # noqa: E402

from provider.protocol import import_without_sdk  # noqa: E402

import_without_sdk()

from pulumi.runtime.proto import analyzer_pb2_grpc as rpc  # noqa: E402

from policies.exceptions import ExceptionsRefused, load_exceptions  # noqa: E402
from policies.rules import RULES  # noqa: E402
from policies.server import Analyzer  # noqa: E402

MESSAGE_BYTES = 400 << 20
THREADS = 4


def main() -> None:
    """Start serving on a free loopback port."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: os._exit(0))
    try:
        analyzer = Analyzer(RULES, load_exceptions(RULES))
    except ExceptionsRefused as refusal:
        sys.exit(str(refusal))
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    rpc.add_AnalyzerServicer_to_server(analyzer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


main()
