"""What a stack takes of the project of ours that it runs: a version, a size, and values of its variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from settings.errors import SettingsError, problem
from settings.offer import Size, Version
from settings.parameter import Parameter
from settings.portainer import Stack
from settings.product import checked_values, product_of
from settings.project import Declaration, Project


@dataclass(frozen=True)
class Offer:
    """What a stack takes of a product."""

    version: Version
    size: Size


def offered(project: Project | None, settings: Stack) -> Offer | None:
    """None for what is no product. Raises SettingsError for a version or a size that is not there."""
    product = product_of(project) if project else None
    if product:
        return Offer(product.version(settings.version), product.size(settings.size))
    if given := [name for name in ("version", "size") if getattr(settings, name) is not None]:
        expected = "a project that is a product (`hosting` in its project.yaml)"
        raise SettingsError("project", [problem(given[0], getattr(settings, given[0]), expected, "take it out")])
    return None


def environment(settings: Stack, declared: Declaration | None, of_size: Mapping[str, str]) -> dict[str, str]:
    """Variables of the compose files: defaults, the size's, numbers of ports, and what the settings say."""
    if declared is None:
        return dict(settings.env)
    numbers = {port.variable: settings.ports.get(key) for key, port in declared.ports.items()}
    if set_twice := sorted(set(numbers) & set(settings.env)):
        raise SettingsError("env", [f"{set_twice[0]}: is the number of a port; give it under `ports`"])
    if set_twice := sorted(set(of_size) & set(settings.env)):
        raise SettingsError("env", [f"{set_twice[0]}: is what a size says; choose another `size`"])
    return {
        **{key: found.default for key, found in declared.parameters.items()},
        **of_size,
        **{variable: str(number) for variable, number in numbers.items() if number},
        **settings.env,
    }


def misfits(settings: Stack, declared: Declaration | None) -> Iterator[str]:
    """Settings that the project knows nothing of, or cannot use."""
    if declared is None:
        return
    for kind, given, known in (
        ("ports", settings.ports, declared.ports),
        ("env", settings.env, declared.parameters),
    ):
        for key in given:
            if key not in known:
                expected = f"one of {', '.join(known) or 'none'}"
                yield problem(f"{kind}.{key}", given[key], expected, f"see compose/{settings.project}/project.yaml")
    yield from _wrong_values(settings.env, declared.parameters)


def _wrong_values(env: Mapping[str, str], known: Mapping[str, Parameter]) -> Iterator[str]:
    """Values that the project does not take, and those that it does without a default."""
    given = {key: value for key, value in env.items() if key in known}
    problems: list[str] = []
    list(checked_values(known, given, "env", problems))
    yield from problems
