"""The catalogue: every project of compose/ that is offered as a product, and what an order of one may say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from settings.errors import SettingsError, problem
from settings.offer import Hosting, Size, Version
from settings.parameter import Parameter
from settings.project import FOLDER, MAIN, Declaration, Project

Item = TypeVar("Item")


@dataclass(frozen=True)
class Product:
    """A project with its offer."""

    project: Project
    hosting: Hosting

    @property
    def name(self) -> str:
        """Its folder below compose/, which is what orders and stacks call it."""
        return self.project.name

    @property
    def declared(self) -> Declaration:
        """Title, ports, secrets and parameters."""
        return self.project.declared

    @property
    def settings(self) -> dict[str, Parameter]:
        """What an order may say: parameters that neither the platform, nor a size, nor a port's number gives."""
        taken = {port.variable for port in self.declared.ports.values()}
        taken |= {variable for size in self.hosting.sizes.values() for variable in size.variables}
        taken |= set(self.hosting.routed)
        known = self.declared.parameters.items()
        return {name: found for name, found in known if name not in taken and not found.platform}

    def schema(self) -> dict[str, Any]:
        """JSON Schema of an order's settings."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.declared.title,
            "type": "object",
            "properties": {name: found.json_schema() for name, found in self.settings.items()},
            "required": [name for name, found in self.settings.items() if found.required],
            "additionalProperties": False,
        }

    def checked(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Variables of the compose file, those not given by their defaults. SettingsError with every problem."""
        problems: list[str] = []
        values = dict(checked_values(self.settings, settings, "settings", problems))
        if problems:
            raise SettingsError(f"product {self.name}", problems)
        return values

    def size(self, name: str | None = None) -> Size:
        """One of its sizes; None: the default. Raises SettingsError."""
        return _one_of(self, "size", self.hosting.sizes, name or self.hosting.size)

    def version(self, name: str | None = None) -> Version:
        """One of its versions; None: the default. Raises SettingsError."""
        return _one_of(self, "version", self.hosting.versions, name or self.hosting.version)

    def rendered(
        self, reference: Callable[[str], str], labels: Mapping[str, str], version: str | None = None
    ) -> dict[str, str]:
        """Its files by path with the images of a version. Raises SettingsError."""
        return self.project.rendered(reference, labels, self.version(version).images)


def product_of(project: Project) -> Product | None:
    """The project as a product; None where it is not offered."""
    return Product(project, project.declared.hosting) if project.declared.hosting else None


def load_catalogue(folder: Path = FOLDER) -> Mapping[str, Product]:
    """Products by name. Raises SettingsError with the problems of every project."""
    found: dict[str, Product] = {}
    problems: list[tuple[str, str]] = []
    for name in sorted(file.parent.name for file in folder.glob(f"*/{MAIN}")):
        try:
            product = product_of(Project(name, folder))
        except SettingsError as error:
            problems += error.places
            continue
        if product:
            found[name] = product
    if problems:
        raise SettingsError.of(problems)
    return found


def checked_values(
    known: Mapping[str, Parameter], given: Mapping[str, Any], where: str, problems: list[str]
) -> Iterator[tuple[str, str]]:
    """Every known variable with its value; what is wrong is added to `problems`."""
    for name in given:
        if name not in known:
            expected = f"one of {', '.join(known) or 'none'}"
            problems.append(problem(f"{where}.{name}", given[name], expected, "take it out, or mend its name"))
    for name, parameter in known.items():
        if name not in given and parameter.required:
            problems.append(f"{where}.{name}: missing, expected {parameter.expected}; {_remedy(parameter)}")
            continue
        try:
            yield name, parameter.checked(given[name]) if name in given else parameter.default
        except ValueError as error:
            problems.append(problem(f"{where}.{name}", given[name], str(error), _remedy(parameter)))


def _remedy(parameter: Parameter) -> str:
    return parameter.description.rstrip(".") or "give one"


def _one_of(product: Product, what: str, known: Mapping[str, Item], name: str) -> Item:
    if name not in known:
        line = problem(what, name, f"one of {', '.join(known)}", f"compose/{product.name}/project.yaml has them")
        raise SettingsError(f"product {product.name}", [line])
    return known[name]
