"""What the engine's state of an instance says, and what an interrupted run left open in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STACK = "hypercompose:portainer:Stack"
State = Mapping[str, Any]
"""The deployment of an exported stack."""


def resources(state: State) -> list[dict[str, Any]]:
    """What it knows."""
    return state.get("resources") or []


def pending(state: State) -> list[dict[str, Any]]:
    """What was under way when a run died."""
    return state.get("pending_operations") or []


def is_interrupted(state: State) -> bool:
    """Whether a run died on the way, or failed half way: the state then says what was wanted, not what is there."""
    return bool(pending(state)) or any(each.get("initErrors") for each in resources(state))


def unknown(state: State) -> set[str]:
    """URNs of what a run that died was making, and nobody has taken up since: it may be there, and is not known."""
    making = {str(each["resource"]["urn"]) for each in pending(state) if each.get("type") == "creating"}
    return making - {str(each["urn"]) for each in resources(state)}


def told(state: State) -> list[dict[str, Any]]:
    """Inputs and outputs of its stack in Portainer."""
    stacks = [each for each in resources(state) if each.get("type") == STACK]
    return [each[part] for each in stacks for part in ("inputs", "outputs") if part in each]
