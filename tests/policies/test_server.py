"""What the engine is told: over the wire, from a pack that runs as the language host runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as pb
from pulumi.runtime.proto import analyzer_pb2_grpc as rpc

from policies.exceptions import Exceptions, parse_exceptions
from policies.rules import RULES
from policies.server import PACK, VERSION, Analyzer, resource_of
from provider.values import SECRET, SIGNATURE, UNKNOWN, UNKNOWN_TEXT
from setup.places import CHECKOUT
from tests.policies.cases import STACK

URN = "urn:pulumi:{stack}::hypercompose::hypercompose:portainer:PortainerStack$" + STACK + "::web"
PRIVILEGED = "services: {web: {privileged: true}}"


def request(stack: str = "acceptance", *, protect: bool = False, **properties: Any) -> pb.AnalyzeRequest:
    made = pb.AnalyzeRequest(type=STACK, name="web", urn=URN.format(stack=stack))
    made.options.protect = protect
    made.properties.update(properties)
    return made


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


@pytest.fixture(scope="module")
def pack() -> Iterator[rpc.AnalyzerStub]:
    """The pack as a program of its own, started from a folder that is not the checkout."""
    command = [sys.executable, "-u", str(CHECKOUT / "policies"), "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/", env={"PATH": os.defpath}, text=True) as running:
        assert running.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(running.stdout.readline())}") as channel:
            yield rpc.AnalyzerStub(channel)
        running.terminate()


def test_every_rule_is_told_with_its_level(pack: rpc.AnalyzerStub) -> None:
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    assert (info.name, info.version) == (PACK, VERSION)
    levels = {policy.name: pb.EnforcementLevel.Name(policy.enforcementLevel).lower() for policy in info.policies}
    assert levels == {rule.name: rule.level.value for rule in RULES}


def test_a_violation_is_one_line_with_remedy_and_page(pack: rpc.AnalyzerStub) -> None:
    answer = pack.Analyze(request(inline=PRIVILEGED))
    found = {one.policyName: one for one in answer.diagnostics}["no-privileged-container"]
    assert found.message == (
        " inline: services.web.privileged: true, expected that no container is privileged; "
        "take `privileged` out; a capability is less (docs/stacks.md)"
    )
    assert found.enforcementLevel == pb.MANDATORY
    assert found.urn == URN.format(stack="acceptance")


def test_what_is_not_its_business_is_answered(pack: rpc.AnalyzerStub) -> None:
    assert pack.Handshake(pb.AnalyzerHandshakeRequest(engine_address="127.0.0.1:1")) is not None
    assert pack.ConfigureStack(pb.AnalyzerStackConfigureRequest(stack="acceptance")) is not None
    assert list(pack.AnalyzeStack(pb.AnalyzeStackRequest()).diagnostics) == []
    assert list(pack.Remediate(request(inline=PRIVILEGED)).remediations) == []
    assert pack.GetPluginInfo(empty_pb2.Empty()).version == VERSION
    assert pack.Cancel(empty_pb2.Empty()) is not None


def test_the_version_is_that_of_the_pack_s_file() -> None:
    assert yaml.safe_load((CHECKOUT / "policies" / "PulumiPolicy.yaml").read_text())["version"] == VERSION


def test_secrets_and_unknown_values_keep_their_marks() -> None:
    seen = resource_of(
        request(
            protect=True,
            password=secret("x"),
            env={"A": secret("x"), "B": "y"},
            hide=["x", secret("y")],
            server=UNKNOWN_TEXT,
        )
    )
    assert seen.secret == {"password", "env.A", "hide.1"}
    assert seen.is_marked("env.A")
    assert not seen.is_marked("env.AA")
    assert not seen.is_marked("env")
    assert (seen.get("env.A"), seen.get("env.B"), seen.get("server.apiKey"), seen.protect) == ("x", "y", UNKNOWN, True)


WAIVER = """\
- {{rule: no-privileged-container, stacks: [acceptance], level: {level}, reason: an old application, until: 2027-01-31}}
"""


@pytest.mark.parametrize(
    ("level", "day", "told"),
    [
        ("off", "2027-01-31", None),
        ("advisory", "2027-01-31", pb.ADVISORY),
        ("off", "2027-02-01", pb.MANDATORY),
    ],
)
def test_exceptions_are_by_the_stack_of_the_urn(level: str, day: str, told: Any) -> None:
    waivers = parse_exceptions(WAIVER.format(level=level), [rule.name for rule in RULES])
    analyzer = Analyzer(RULES, Exceptions(waivers, date.fromisoformat(day)))

    def found(stack: str) -> list[Any]:
        answer = analyzer.Analyze(request(stack, inline=PRIVILEGED), None)
        return [one for one in answer.diagnostics if one.policyName == "no-privileged-container"]

    assert [one.enforcementLevel for one in found("acceptance")] == ([] if told is None else [told])
    assert [one.enforcementLevel for one in found("integration")] == [pb.MANDATORY]
    over = "; its exception ended on 2027-01-31" in "".join(one.message for one in found("acceptance"))
    assert over is (told == pb.MANDATORY)


def test_a_pack_with_exceptions_that_cannot_be_taken_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    for path in (CHECKOUT / "policies").iterdir():
        (tmp_path / "policies" / path.name).symlink_to(path)
    for name in ("provider", "provisioning"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "policies" / "exceptions.yaml").unlink()
    (tmp_path / "policies" / "exceptions.yaml").write_text("- rule: no-priviledged-container\n")
    main = tmp_path / "policies" / "__main__.py"
    for module in ("__main__.py", "exceptions.py"):
        text = (CHECKOUT / "policies" / module).read_text()
        (tmp_path / "policies" / module).unlink()
        (tmp_path / "policies" / module).write_text(text)
    done = subprocess.run([sys.executable, str(main)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "did you mean `no-privileged-container`?" in done.stderr
