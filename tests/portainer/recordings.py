"""The recorded calls, and which of them a test says it covers."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

FOLDER = Path(__file__).parents[1] / "data" / "portainer-calls"
Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Recorded:
    """One call of the real server."""

    file: str
    index: int
    note: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int
    answer: Any
    answer_headers: dict[str, str]

    @property
    def is_form(self) -> bool:
        """Whether the body was sent as multipart/form-data."""
        return self.headers.get("Content-Type", "").startswith("multipart/")


@cache
def recorded(file: str) -> dict[int, Recorded]:
    """Calls of one file by their place in it; observations are left out."""
    items = json.loads((FOLDER / f"{file}.json").read_text())
    return {index: _call(file, index, item) for index, item in enumerate(items) if "request" in item}


@cache
def every_call() -> frozenset[tuple[str, int]]:
    """File and place of all recorded calls."""
    return frozenset((file.stem, index) for file in FOLDER.glob("*.json") for index in recorded(file.stem))


def covers(file: str, *indexes: int) -> Callable[[Test], Test]:
    """Say which recorded calls a test plays; a test that plays others or fewer fails."""

    def note(test: Test) -> Test:
        claimed: set[tuple[str, int]] = getattr(test, "covered", set())
        test.covered = claimed | {(file, index) for index in indexes}  # type: ignore[attr-defined]
        return test

    return note


def covered_by_tests() -> set[tuple[str, int]]:
    """What the decorators of all tests in this folder say, read without importing them."""
    found: set[tuple[str, int]] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "covers":
                name, *indexes = (_value(argument) for argument in node.args)
                found |= {(name, index) for index in _flat(indexes)}
    return found


def _value(node: ast.expr) -> Any:
    """Of a constant, or of `*range(1, 3)`."""
    if isinstance(node, ast.Starred) and isinstance(node.value, ast.Call):
        return range(*(ast.literal_eval(argument) for argument in node.value.args))
    return ast.literal_eval(node)


def _flat(values: list[Any]) -> list[int]:
    return [number for value in values for number in (value if isinstance(value, range) else [value])]


def _call(file: str, index: int, item: dict[str, Any]) -> Recorded:
    request, response = item["request"], item["response"]
    return Recorded(
        file=file,
        index=index,
        note=item.get("note", ""),
        method=request["method"],
        path=request["path"],
        headers=request["headers"],
        body=request["body"],
        status=response["status"],
        answer=response["body"],
        answer_headers=response["headers"],
    )
