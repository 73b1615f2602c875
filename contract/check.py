"""Whether outputs are what the contract says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from contract.outputs import Outputs


class ContractError(Exception):
    """Outputs that are not what others were promised; says where, never what was found there."""


def checked(found: Mapping[str, Any]) -> Outputs:
    """The outputs by type. Raises ContractError with every problem."""
    try:
        return Outputs.model_validate(_whole(found))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}" for problem in error.errors()]
        raise ContractError("outputs do not keep the contract: " + "; ".join(lines)) from None


def _whole(value: Any) -> Any:
    """Pulumi's numbers are floating ones."""
    if isinstance(value, Mapping):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
