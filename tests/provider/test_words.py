"""What the provider tells the engine, over a real engine service."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from provider.words import words_through
from provisioning.errors import ProvisioningError

URN = "urn:pulumi:lab::hypercompose::hypercompose:host:Sysctl::h-sysctl"


class Engine(engine_pb2_grpc.EngineServicer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int, bool]] = []

    def Log(self, request: Any, context: Any) -> Any:
        self.told.append((request.urn, request.message, request.severity, request.ephemeral))
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str]]:
    found, server = Engine(), grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(found, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield found, f"127.0.0.1:{port}"
    server.stop(None)


def test_a_warning_stays_at_its_resource_and_a_status_is_replaced(engine: tuple[Engine, str]) -> None:
    warn, say = words_through(engine[1])
    warn(URN, "no route")
    say(URN, "waiting")
    assert engine[0].told == [
        (URN, "no route", engine_pb2.WARNING, False),
        (URN, "waiting", engine_pb2.INFO, True),
    ]


def test_an_engine_that_is_gone_fails_a_warning_and_not_a_status() -> None:
    warn, say = words_through("127.0.0.1:1")
    say(URN, "waiting")
    with pytest.raises(ProvisioningError, match="no route"):
        warn(URN, "no route")


def test_without_an_engine_nobody_is_told() -> None:
    for words in words_through(None):
        words(URN, "x")
