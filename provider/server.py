"""Pulumi's ResourceProvider service over the resource types of this project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc as rpc

from provider import values
from provider.configuration import Configuration
from provider.diff import detailed
from provider.resource import Context, HalfMade, Resource
from provisioning.errors import ProvisioningError

VERSION = "0.1.0"


class Provider(rpc.ResourceProviderServicer):
    """One per `up`: connections are pooled in its context, nothing is kept on disk."""

    def __init__(
        self,
        types: Mapping[str, Resource],
        warn: Callable[[str, str], None],
        say: Callable[[str, str], None] = lambda urn, text: None,
        *,
        reports_drift: bool = False,
    ) -> None:
        """Take the resource types by token, and functions that show a warning and a status at a URN.

        `reports_drift`: a read that fails is a warning, whatever the failure, so that the engine goes on to its plan.
        """
        self._types, self._warn, self._say, self._reports_drift = types, warn, say, reports_drift
        self._context: Context | None = None

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: D102
        return pb.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: D102
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: D102
        return pb.GetSchemaResponse(schema=f'{{"name": "hypercompose", "version": "{VERSION}"}}')

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: D102
        failures = Configuration.failures(values.read(request.news))
        return pb.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: D102
        return detailed(values.read(request.old_inputs), values.read(request.news), ())

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: D102
        self._context = Configuration.parse(values.read(request.args)).context(self._warn, self._say)
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: D102
        found = self._types[_type(request.urn)]
        olds, news = values.read(request.olds), values.read(request.news)
        if olds:
            self._shared().held.add(request.urn)
        with _errors_of(context):
            problems = list(found.check(self._shared(), request.urn, olds, news))
            more = {} if problems else found.complete(self._shared(), request.urn, olds, news)
            return pb.CheckResponse(inputs=_completed(request.news, found, more), failures=_failures(problems))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: D102
        found = self._types[_type(request.urn)]
        self._shared().held.add(request.urn)
        olds, news = values.read(request.old_inputs), values.read(request.news)
        answer = detailed(olds, news, found.replaces(olds, news))
        if answer.changes == pb.DiffResponse.DIFF_NONE and found.due(values.read(request.olds)):
            return pb.DiffResponse(changes=pb.DiffResponse.DIFF_SOME)
        answer.deleteBeforeReplace = found.delete_before_replace and bool(answer.replaces)
        return answer

    def Create(self, request: Any, context: Any) -> Any:  # noqa: D102
        found, inputs = self._types[_type(request.urn)], values.read(request.properties)
        if request.preview:
            return pb.CreateResponse(properties=request.properties)
        half_made = partial(_half_made, inputs=request.properties, found=found)
        with _errors_of(context, half_made), self._shared().at(request.urn):
            identity, outputs = found.create(self._shared(), inputs)
            return pb.CreateResponse(id=identity, properties=_state(request.properties, outputs, found))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: D102
        found, state = self._types[_type(request.urn)], values.read(request.properties)
        with _errors_of(context):
            try:
                now = found.read(self._shared(), request.urn, request.id, state)
            except ProvisioningError as error:
                if not self._reports_drift:
                    raise
                self._shared().unread(request.urn, error)
                return pb.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        if now is None:
            return pb.ReadResponse()
        inputs = {name: now.get(name) for name in values.read(request.inputs)}
        return pb.ReadResponse(
            id=request.id,
            properties=_as_before(request.properties, now, found.secrets),
            inputs=_as_before(request.inputs, inputs, ()),
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: D102
        found = self._types[_type(request.urn)]
        if request.preview:
            return pb.UpdateResponse(properties=_foreseen(request.olds, request.news, found.stable))
        with _errors_of(context), self._shared().at(request.urn):
            outputs = found.update(self._shared(), values.read(request.olds), values.read(request.news))
            return pb.UpdateResponse(properties=_state(request.news, outputs, found))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: D102
        found = self._types[_type(request.urn)]
        with _errors_of(context):
            found.delete(self._shared(), request.id, values.read(request.properties))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: D102
        if self._context:
            self._context.cancel()
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: D102
        return empty_pb2.Empty()

    def _shared(self) -> Context:
        if self._context is None:
            raise ProvisioningError("the provider is not configured; pass it by `ResourceOptions(provider=…)`")
        return self._context


class _errors_of:
    """Hands provisioning's errors to the engine as they are, without a traceback."""

    def __init__(self, context: Any, details: Callable[[HalfMade], bytes] | None = None) -> None:
        self._context = context
        self._details = details

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, HalfMade) and self._details:
            self._context.set_trailing_metadata((("grpc-status-details-bin", self._details(error)),))
        if isinstance(error, ProvisioningError):
            self._context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _type(urn: str) -> str:
    """The type token of a URN, without its parents' types."""
    return urn.split("::")[2].split("$")[-1]


def _as_before(before: struct_pb2.Struct, now: Mapping[str, Any], secret: Collection[str]) -> struct_pb2.Struct:
    """Values on the wire: what is as it was keeps its marks, what differs is secret where anything of it was."""
    old = values.read(before)
    marked = {name for name, value in before.fields.items() if values.holds_secret(value)}
    written = values.write(now, marked | set(secret))
    for name, value in before.fields.items():
        if name in now and old[name] == now[name]:
            written.fields[name].CopyFrom(value)
    return written


def _foreseen(olds: struct_pb2.Struct, news: struct_pb2.Struct, stable: Collection[str]) -> struct_pb2.Struct:
    """What a preview tells of an update: its inputs, and the outputs that an update leaves as they are."""
    foreseen = struct_pb2.Struct()
    foreseen.CopyFrom(news)
    for name in stable:
        if name in olds.fields:
            foreseen.fields[name].CopyFrom(olds.fields[name])
    return foreseen


def _state(inputs: struct_pb2.Struct, outputs: Mapping[str, Any], found: Resource) -> struct_pb2.Struct:
    state = struct_pb2.Struct()
    state.CopyFrom(inputs)  # keeps the marks of secret inputs as they came
    state.MergeFrom(values.write(outputs, found.secrets))
    return state


def _completed(inputs: struct_pb2.Struct, found: Resource, more: Mapping[str, Any]) -> struct_pb2.Struct:
    """Inputs with the defaults that nobody has given, and with what the resource itself says of some."""
    completed = values.write({name: value for name, value in found.defaults.items() if name not in inputs.fields})
    completed.MergeFrom(inputs)
    for name, value in values.write(more, found.secrets).fields.items():
        completed.fields[name].CopyFrom(value)
    return completed


def _half_made(half: HalfMade, inputs: struct_pb2.Struct, found: Resource) -> bytes:
    """The details by which the engine keeps a resource whose creation failed on its way."""
    state = _state(inputs, {}, found)
    failed = pb.ErrorResourceInitFailed(id=half.identity, properties=state, inputs=inputs, reasons=[str(half)])
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(half))
    status.details.add().Pack(failed)
    return status.SerializeToString()


def _failures(problems: Any) -> list[Any]:
    return [pb.CheckFailure(property=p.property, reason=p.reason) for p in problems]
