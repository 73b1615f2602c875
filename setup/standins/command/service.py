"""The plugin's service: started by the engine, prints its port, creates, updates and deletes the three resources."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

from setup.standins.command import local, remote, wire
from setup.standins.command.outcome import CommandFailed, Outcome
from setup.standins.command.stops import Stops

VERSION = "1.2.1"
"""The official version whose behaviour this has."""
LARGEST_MESSAGE = 400 << 20
RUNNERS: dict[str, Callable[[str, dict[str, Any], dict[str, str], Stops], Outcome]] = {
    "command:local:Command": local.run,
    "command:remote:Command": remote.run,
}
COPY = "command:remote:CopyToRemote"


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """What the engine asks of a provider."""

    def __init__(self, log: Callable[[str, str], None]) -> None:
        """`log(urn, text)` shows text at a resource."""
        self._log, self._stops = log, Stops()

    def Handshake(self, request: Any, context: Any) -> Any:
        """First call: secrets are kept marked."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version the SDK asks for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """No schema: the SDK is published."""
        return provider_pb2.GetSchemaResponse(schema=f'{{"name": "command", "version": "{VERSION}"}}')

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """There is nothing to configure."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """There is nothing to configure."""
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        """There is nothing to configure."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        """Inputs as they are; what is copied must be a path on this machine."""
        source, failures = wire.plain(wire.read(request.news)).get("source"), []
        if request.urn.split("::")[2].endswith(COPY) and isinstance(source, dict) and not source.get("path"):
            failures = [provider_pb2.CheckFailure(property="source", reason="must be a path-based asset or archive")]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        """Any changed input updates, changed triggers replace; a mark of secrecy is no change."""
        old, new = wire.plain(wire.read(request.old_inputs)), wire.plain(wire.read(request.news))
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        kinds = provider_pb2.PropertyDiff
        detailed = {key: kinds(kind=_kind(key, old, new), inputDiff=True) for key in changed}
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=[key for key in changed if key == "triggers"],
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:
        """Run `create`, or copy."""
        inputs = wire.read(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=wire.write({**inputs, **_unknown(request.urn)}))
        with _refusals(context):
            outputs = self._do(request.urn, inputs, wire.plain(inputs).get("create"), {})
        identity = request.urn.rpartition("::")[2] + secrets.token_hex(4)
        return provider_pb2.CreateResponse(id=identity, properties=wire.write({**inputs, **outputs}))

    def Update(self, request: Any, context: Any) -> Any:
        """Run `update`, or `create` again where there is none."""
        inputs, state = wire.read(request.news), wire.plain(wire.read(request.olds))
        if request.preview:
            return provider_pb2.UpdateResponse(properties=wire.write({**inputs, **_unknown(request.urn)}))
        asked = wire.plain(inputs)
        with _refusals(context):
            command = asked["update"] if asked.get("update") is not None else asked.get("create")
            outputs = self._do(request.urn, inputs, command, state)
        return provider_pb2.UpdateResponse(properties=wire.write({**inputs, **outputs}))

    def Delete(self, request: Any, context: Any) -> Any:
        """Run `delete` if there is one; what was copied stays."""
        state = wire.read(request.properties)
        command = wire.plain(state).get("delete")
        if command is not None and not _is_copy(request.urn):
            with _refusals(context):
                self._do(request.urn, state, command, wire.plain(state))
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        """Nothing can be read back: a refresh sees no drift."""
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Cancel(self, request: Any, context: Any) -> Any:
        """The engine gives up, or is done: commands that run end, the service goes on until it is ended itself."""
        self._stops.all()
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:
        """The engine calls from a process that did not start us."""
        return empty_pb2.Empty()

    def _do(self, urn: str, marked: dict[str, Any], command: Any, state: dict[str, Any]) -> dict[str, Any]:
        """Copy, or run one command; the output properties. Output of a command made from secrets is secret."""
        inputs = wire.plain(marked)
        if _is_copy(urn):
            if state.get("source") != inputs["source"] or state.get("remotePath") != inputs["remotePath"]:
                remote.copy(inputs)
            return {}
        if command is None:
            return {key: state.get(key, "") for key in ("stdout", "stderr")}
        outcome = RUNNERS[urn.split("::")[2].rpartition("$")[2]](str(command), inputs, state, self._stops)
        self._log(urn, outcome.to_log(str(inputs.get("logging") or "stdoutAndStderr")))
        taints = any(wire.holds_secret(value) for key, value in marked.items() if key != "connection")
        return {key: wire.secret(text) if taints else text for key, text in outcome.outputs().items()}


class _refusals:
    """Hands a failure to the engine as it is worded, without a traceback."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        if isinstance(problem, CommandFailed):
            self._context.abort(grpc.StatusCode.UNKNOWN, str(problem))


def _is_copy(urn: str) -> bool:
    """Whether a URN names a copy."""
    return urn.split("::")[2].endswith(COPY)


def _unknown(urn: str) -> dict[str, str]:
    """Outputs that only a run tells."""
    return {} if _is_copy(urn) else {"stdout": wire.UNKNOWN, "stderr": wire.UNKNOWN}


def _kind(key: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
    """The kind of one property's change."""
    change = "ADD" if old.get(key) is None else "DELETE" if new.get(key) is None else "UPDATE"
    return provider_pb2.PropertyDiff.Kind.Value(f"{change}_REPLACE" if key == "triggers" else change)


def logger(engine: str) -> Callable[[str, str], None]:
    """A function that shows text at a resource, through the engine."""
    stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine)) if engine else None

    def log(urn: str, text: str) -> None:
        for line in text.splitlines():
            if stub:
                stub.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=urn))

    return log


def serve() -> None:
    """Serve until the engine ends us. It is told the port on stdout."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    engine = next((argument for argument in reversed(sys.argv[1:]) if ":" in argument), "")
    limits = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=64), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(logger(engine)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
