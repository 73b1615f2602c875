"""Certificates as resources: kept, made again in time, their keys secret."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from provider import values
from provider.resources.tls import Authority, Certificate
from provider.server import Provider

CONTEXT: Any = None
MADE = Authority().create(CONTEXT, {"name": "docker of vm-1"})[1]
INPUTS: dict[str, Any] = {"name": "vm-1", "usage": "server", "addresses": ["10.0.0.1"], "authority": MADE}


def test_a_certificate_is_made_with_a_key_that_is_secret() -> None:
    identity, made = Certificate().create(CONTEXT, INPUTS)
    assert identity == "vm-1"
    assert "BEGIN CERTIFICATE" in made["certificate"]
    assert "PRIVATE KEY" in made["key"]
    assert "key" in Certificate.secrets


def test_a_usage_that_there_is_not_is_refused() -> None:
    problems = list(Certificate().check(CONTEXT, "urn", {}, {**INPUTS, "usage": "both"}))
    assert [(problem.property, problem.reason) for problem in problems] == [
        ("usage", "'both', expected one of server, client")
    ]


@pytest.mark.parametrize("is_due", [True, False])
def test_what_wears_out_is_an_update_without_any_changed_input(monkeypatch: pytest.MonkeyPatch, is_due: bool) -> None:
    monkeypatch.setattr("provider.resources.tls.is_due", lambda certificate: is_due)
    provider = Provider({Authority.type: Authority()}, warn=lambda urn, text: None)
    provider._context = SimpleNamespace(held=set())  # type: ignore[assignment]
    same = values.write({"name": "docker of vm-1"}, ())
    request = SimpleNamespace(
        urn=f"urn:pulumi:dev::hypercompose::{Authority.type}::x",
        old_inputs=same,
        news=same,
        olds=values.write({"name": "docker of vm-1", **MADE}, ()),
    )
    found = provider.Diff(request, None)
    assert (found.changes == pb.DiffResponse.DIFF_SOME) is is_due
