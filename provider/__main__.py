"""Serves the provider: prints its port, answers until the engine ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import grpc

from provider.protocol import import_without_sdk

import_without_sdk()

from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc  # noqa: E402
from pulumi.runtime.proto import provider_pb2_grpc as rpc  # noqa: E402

from provider.resources import TYPES  # noqa: E402
from provider.server import Provider  # noqa: E402

MESSAGE_BYTES = 400 << 20
THREADS = 64  # Pulumi runs 4 x CPUs at once, most of them waiting for a host


Words = Callable[[str, str], None]


def words_through(engine_address: str | None) -> tuple[Words, Words]:
    """Two functions of URN and text: a warning that stays, and a status that the next one replaces."""
    stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address)) if engine_address else None

    def log(urn: str, text: str, **how: Any) -> None:
        if stub is not None:
            with suppress(grpc.RpcError):  # an engine that ends does not listen any more
                stub.Log(engine_pb2.LogRequest(message=text, urn=urn, **how))

    return partial(log, severity=engine_pb2.WARNING), partial(log, severity=engine_pb2.INFO, ephemeral=True)


def main() -> None:
    """Start serving on a free loopback port."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    engine = next((argument for argument in reversed(sys.argv[1:]) if ":" in argument), None)
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    rpc.add_ResourceProviderServicer_to_server(Provider(TYPES, *words_through(engine)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


main()
