"""Serves the provider: prints its port, answers until the engine ends it."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

from provider.protocol import import_without_sdk

import_without_sdk()

from pulumi.runtime.proto import provider_pb2_grpc as rpc  # noqa: E402

from provider.resources import TYPES  # noqa: E402
from provider.server import Provider  # noqa: E402
from provider.words import words_through  # noqa: E402

DRIFT_VARIABLE = "HYPERCOMPOSE_DRIFT"  # set by `make drift`: see docs/drift.md
MESSAGE_BYTES = 400 << 20
THREADS = 64  # Pulumi runs 4 x CPUs at once, most of them waiting for a host


def main() -> None:
    """Start serving on a free loopback port."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    engine = next((argument for argument in reversed(sys.argv[1:]) if ":" in argument), None)
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    provider = Provider(TYPES, *words_through(engine), reports_drift=os.environ.get(DRIFT_VARIABLE) == "1")
    rpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


main()
