"""What the provider tells the engine beside its answers: a warning that stays, a status that the next one replaces."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from provisioning.errors import ProvisioningError

Words = Callable[[str, str], None]


def words_through(engine_address: str | None) -> tuple[Words, Words]:
    """Two functions of URN and text: a warning and a status. A warning that does not arrive is an error."""
    stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address)) if engine_address else None

    def log(urn: str, text: str, **how: Any) -> None:
        if stub is not None:
            stub.Log(engine_pb2.LogRequest(message=text, urn=urn, **how))

    def warn(urn: str, text: str) -> None:
        try:
            log(urn, text, severity=engine_pb2.WARNING)
        except grpc.RpcError:  # else a resource that was not read would pass for a clean one
            raise ProvisioningError(text) from None

    def say(urn: str, text: str) -> None:
        with suppress(grpc.RpcError):  # an engine that ends does not listen any more
            log(urn, text, severity=engine_pb2.INFO, ephemeral=True)

    return warn, say
