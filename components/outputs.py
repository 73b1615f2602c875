"""The stack's outputs, and the check that they keep the contract: in the program, so that plain `pulumi up` has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from contract.check import ContractError, checked
from contract.outputs import VERSION


def export_outputs(outputs: Mapping[str, Any]) -> None:
    """Export each by name, and `contract` once all of them are known: a broken contract fails the run."""
    for name, value in outputs.items():
        pulumi.export(name, value)
    told = pulumi.Output.from_input(dict(outputs)).apply(_kept)
    pulumi.export("contract", pulumi.Output.unsecret(told))  # only a version: its secrets were looked at, not taken


def _kept(outputs: Mapping[str, Any]) -> str:
    try:
        return checked({**outputs, "contract": VERSION}).contract
    except ContractError as error:
        raise pulumi.RunError(str(error)) from None
