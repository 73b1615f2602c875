"""The analyzer's side of Pulumi's policy protocol.

Not the SDK of policy packs (`pulumi-policy` 1.21): it takes the marks of secrets away before a rule sees a value, ends
a rule at the first value that is not known yet, and holds protobuf at version 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from policies.exceptions import Exceptions
from policies.resource import Resource
from policies.rule import Level, Rule
from provider.values import SECRET, SIGNATURE, read

PACK, VERSION = "hypercompose", "1.0.0"
LEVELS = {
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.OFF: analyzer_pb2.DISABLED,
}


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine. The stack is told by each URN: nothing is configured."""

    def __init__(self, rules: Sequence[Rule], exceptions: Exceptions) -> None:
        """Take the rules and what is excepted from them."""
        self._rules, self._exceptions = rules, exceptions

    def Handshake(self, request: Any, context: Any) -> Any:
        """First call of the engine."""
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        """Nothing depends on it."""
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The pack's version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        """The rules. Levels are changed in exceptions.yaml alone, with a reason, not by `--policy-pack-config`."""
        return analyzer_pb2.AnalyzerInfo(
            name=PACK, version=VERSION, supportsConfig=False, policies=[_info(rule) for rule in self._rules]
        )

    def Analyze(self, request: Any, context: Any) -> Any:
        """One resource."""
        stack = request.urn.split("::")[0].rpartition(":")[2]
        return analyzer_pb2.AnalyzeResponse(diagnostics=self._diagnostics(resource_of(request), stack, request.urn))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        """All resources at once: no rule needs that."""
        return analyzer_pb2.AnalyzeResponse()

    def Remediate(self, request: Any, context: Any) -> Any:
        """Nothing is changed on the way: a state must not depend on whether the pack was there."""
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing takes long."""
        return empty_pb2.Empty()

    def _diagnostics(self, resource: Resource, stack: str, urn: str) -> Iterator[Any]:
        for rule in self._rules:
            level = self._exceptions.level(rule, stack, resource.name)
            for violation in rule.violations(resource) if level is not Level.OFF else ():
                over = [
                    f"; its exception ended on {waiver.until}"
                    for waiver in self._exceptions.ended(rule, stack, resource.name)
                ]
                yield analyzer_pb2.AnalyzeDiagnostic(
                    policyName=rule.name,
                    policyPackName=PACK,
                    policyPackVersion=VERSION,
                    description=rule.holds,
                    message=f" {violation}, expected that {rule.holds}; {rule.remedy}{''.join(over[:1])} ({rule.doc})",
                    enforcementLevel=LEVELS[level],
                    urn=urn,
                )


def resource_of(request: Any) -> Resource:
    """A resource of the protocol as rules see it."""
    return Resource(
        type=request.type,
        name=request.name,
        properties=read(request.properties),
        secret=frozenset(_marked(request.properties.fields)),
        protect=request.options.protect,
    )


def _marked(fields: Any, above: str = "") -> Iterator[str]:
    """Paths of what is marked secret."""
    for name, value in fields.items():
        path = f"{above}{name}"
        inner = value.struct_value.fields if value.HasField("struct_value") else {}
        if SIGNATURE in inner and inner[SIGNATURE].string_value == SECRET:
            yield path
        elif value.HasField("list_value"):
            numbered = {str(index): one for index, one in enumerate(value.list_value.values)}
            yield from _marked(numbered, f"{path}.")
        else:
            yield from _marked(inner, f"{path}.")


def _info(rule: Rule) -> Any:
    return analyzer_pb2.PolicyInfo(
        name=rule.name,
        description=rule.holds,
        enforcementLevel=LEVELS[rule.level],
        policy_type=analyzer_pb2.POLICY_TYPE_RESOURCE,
        remediation_steps=rule.remedy,
        url=rule.doc,
    )
