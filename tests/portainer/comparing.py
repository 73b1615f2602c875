"""Whether an answer is what was recorded: the same fields and values, but for those that differ by nature."""

from __future__ import annotations

import re
from typing import Any

VOLATILE = set(
    "Id ID id userId EndpointId ResourceId ResourceID ProjectPath CreationDate UpdateDate ConfigHash JobID InstanceID "
    "jwt rawAPIKey prefix digest dateCreated lastUsed TokenIssueAt Password EdgeKey Snapshots UserId CreatedByUserId "
    "GroupId TagIds RegistryAccesses EdgeCheckinInterval Ids GitCommit".split()
)
"""Fields whose values depend on time, chance or what else a server holds."""
LATER = {"hsts", "csp"}
"""Fields that not every release has: the recorded server was a few commits past the tag 2.23.0, and has these."""
COMPOSE = re.compile(r"(failed to (?:deploy a stack|pull images of the stack): ).*", re.S | re.I)
ADDRESS = re.compile(r"(https?|tcp)://127\.0\.0\.1:\d+|127\.0\.0\.1:\d+")


def differences(expected: Any, found: Any, where: str = "body") -> list[str]:
    """What is wrong, one line each."""
    if isinstance(expected, dict) and "_trimmed_list" in expected:
        return _list([expected["first"]], found, where)
    if isinstance(expected, dict) and "_trimmed" in expected:
        return differences(expected["keys"], found, where)
    if isinstance(expected, dict):
        return _object(expected, found, where)
    if isinstance(expected, list):
        return _list(expected, found, where)
    return [] if _is_like(expected, found) else [f"{where}: expected {expected!r}, found {found!r}"]


def _object(expected: dict[str, Any], found: Any, where: str) -> list[str]:
    if not isinstance(found, dict):
        return [f"{where}: expected an object, found {found!r}"]
    wrong = [f"{where}: {name} is missing" for name in expected.keys() - found.keys() - LATER]
    wrong += [f"{where}: {name} should not be there" for name in found.keys() - expected.keys()]
    for name in expected.keys() & found.keys():
        if name in VOLATILE:
            wrong += _same_kind(expected[name], found[name], f"{where}/{name}")
        else:
            wrong += differences(expected[name], found[name], f"{where}/{name}")
    return wrong


def _list(expected: list[Any], found: Any, where: str) -> list[str]:
    """Items look alike; how many there are depends on what else a server holds."""
    if not isinstance(found, list):
        return [f"{where}: expected a list, found {found!r}"]
    if expected and not found:
        return [f"{where}: empty"]
    if not expected or not isinstance(expected[0], dict):
        return []
    return (
        []
        if any(not differences(expected[0], item, where) for item in found)
        else differences(expected[0], found[0], f"{where}/0")
    )


def _same_kind(expected: Any, found: Any, where: str) -> list[str]:
    if isinstance(expected, str) and expected.startswith("..."):
        return []
    same = type(expected) is type(found) or (expected is None or found is None)
    return [] if same else [f"{where}: expected something like {expected!r}, found {found!r}"]


def _is_like(expected: Any, found: Any) -> bool:
    if isinstance(expected, str) and expected.startswith(("...", "<")):
        return True
    if not isinstance(expected, str) or not isinstance(found, str):
        return bool(expected == found)
    return _without_chance(expected) == _without_chance(found)


def _without_chance(text: str) -> str:
    """Without ports and numbers of records; of Compose's own words only that they come."""
    text = COMPOSE.sub(r"\1", text)
    text = ADDRESS.sub("ADDRESS", text)
    text = re.sub(r"key=\d+", "key=N", text)
    return re.sub(r"the stack \d+", "the stack N", text)
