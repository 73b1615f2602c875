"""Settings errors that teach: where, what was found, what is expected, what to do."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError


class SettingsError(Exception):
    """Every problem found in one source of settings, one line each, before anything is created."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        """Take the source's name (a file, a config key) and one line per problem."""
        self.source = source
        self.problems = tuple(problems)
        self.places = tuple((source, line) for line in self.problems)
        super().__init__("\n".join(f"{source}: {line}" for line in self.problems))

    @classmethod
    def of(cls, found: Iterable[tuple[str, str]]) -> SettingsError:
        """Problems of several sources, each `(source, line)`; the error's own source is the first one's."""
        pairs = list(found)
        error = cls(pairs[0][0], [line for _, line in pairs])
        error.places = tuple(pairs)
        error.args = ("\n".join(f"{source}: {line}" for source, line in pairs),)
        return error


def problem(where: str, found: object, expected: str, remedy: str) -> str:
    """One line: `vms[0].memory_mib: -1, expected …; …`. `found` is shown as JSON, shortened."""
    shown = "missing" if found is None else json.dumps(found, default=str, ensure_ascii=False)
    return f"{where}: {shown if len(shown) <= 120 else shown[:117] + '...'}, expected {expected}; {remedy}"


def from_validation(source: str, error: ValidationError, model: type[BaseModel]) -> SettingsError:
    """Turn pydantic's findings into lines that name the setting, what is expected and an example."""
    return SettingsError(source, [_line(finding, model) for finding in error.errors()])


def _line(finding: Mapping[str, Any], model: type[BaseModel]) -> str:
    where = path_text(finding["loc"])
    kind = finding["type"]
    if kind == "extra_forbidden":
        known = sorted(_fields_at(model, finding["loc"][:-1]))
        near = difflib.get_close_matches(str(finding["loc"][-1]), known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"
        return f"{where}: unknown setting; {hint}"
    text = str(finding["msg"]).removeprefix("Value error, ")
    expected = text[0].lower() + text[1:] if text else kind
    expected = expected.removeprefix("input should be ").removeprefix("should be ")
    if kind == "missing":
        return f"{where}: missing, expected {_described(model, finding['loc'])}; add it"
    return problem(where, finding.get("input"), expected, _described(model, finding["loc"]))


def path_text(loc: Iterable[str | int]) -> str:
    """`("vms", 0, "memory_mib")` as `vms[0].memory_mib`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(top level)"


def _fields_at(model: type[BaseModel], loc: Sequence[str | int]) -> Iterable[str]:
    found = _model_at(model, loc)
    return [info.alias or name for name, info in found.model_fields.items()] if found else ()


def _described(model: type[BaseModel], loc: Sequence[str | int]) -> str:
    owner = _model_at(model, loc[:-1])
    info = owner.model_fields.get(str(loc[-1])) if owner and loc else None
    if info is None or not info.description:
        return "see docs/settings.md"
    example = f" (for example {json.dumps(info.examples[0], default=str)})" if info.examples else ""
    return f"{info.description}{example}"


def _model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that `loc` leads to, through lists, mappings and optional values."""
    current: type[BaseModel] | None = model
    for part in loc:
        if current is None:
            return None
        info = current.model_fields.get(str(part))
        if info is not None:
            current = inner_model(info.annotation)
    return current


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """The settings type inside an annotation such as `tuple[Nic, ...]` or `Bridge | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := inner_model(argument):
            return found
    return None
