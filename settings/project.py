"""A compose project of compose/: what its project.yaml declares, and its files as they are published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from provisioning.compose.text import load_compose
from settings.errors import SettingsError, from_validation
from settings.offer import Hosting
from settings.parameter import Parameter
from settings.portainer import FILE_NAME, VARIABLE, Port, Secret
from settings.site import CHECKOUT, Model

FOLDER = CHECKOUT / "compose"
DECLARATION, MAIN = "project.yaml", "compose.yaml"
HEADER = "# Published by Hypercompose from compose/{name}; changes made here are overwritten.\n"


class ProjectPort(Model):
    """A port that the project publishes."""

    variable: str = Field(pattern=VARIABLE, description="variable of the compose file that holds its number")
    service: str = Field(description="service behind it")
    container: Port = Field(description="port inside the container")
    health: str | None = Field(None, pattern=r"^/\S*$", description="path that answers 200 when all is well")


class Declaration(Model):
    """project.yaml: what the platform needs to know beside the compose file."""

    title: str = Field(description="for people")
    product: str = Field(pattern=FILE_NAME, description="label of its containers")
    ports: dict[str, ProjectPort] = Field(default_factory=dict, description="by name")
    secrets: dict[str, Secret] = Field(default_factory=dict, description="secret files by name")
    parameters: dict[str, Parameter] = Field(default_factory=dict, description="by variable")
    hosting: Hosting | None = Field(None, description="how instances of it are offered; none: it is no product")

    @model_validator(mode="after")
    def _offers_what_it_has(self) -> Declaration:
        if problems := list(_unknown_names(self)):
            raise ValueError("; ".join(problems))
        return self


def _unknown_names(declared: Declaration) -> Iterator[str]:
    """What the offer names and the project does not have."""
    if declared.hosting is None:
        return
    offer = declared.hosting
    named = {name for pair in offer.pairs for name in pair} | ({offer.route} - {None})
    for name in sorted(str(name) for name in named - set(declared.ports)):
        yield f"names of `ports` in hosting.pairs and hosting.route, not {name}"
    for name in sorted(set(offer.paths.values()) - set(declared.ports)):
        yield f"names of `ports` in hosting.paths, not {name}"
    for size, found in offer.sizes.items():
        yield from _wrong_variables(declared, f"hosting.sizes.{size}.variables", found.variables)
    yield from _wrong_variables(declared, "hosting.routed", offer.routed)


def _wrong_variables(declared: Declaration, where: str, values: Mapping[str, str]) -> Iterator[str]:
    for variable, value in values.items():
        if variable not in declared.parameters:
            yield f"names of `parameters` in {where}, not {variable}"
            continue
        try:
            declared.parameters[variable].checked(value)
        except ValueError as error:
            yield f"{error} as {where}.{variable}, not {value}"


class Project:
    """One folder below compose/."""

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        """Read its declaration. Raises SettingsError."""
        self.name, self._folder = name, folder / name
        if not (self._folder / MAIN).is_file():
            known = ", ".join(sorted(file.parent.name for file in folder.glob(f"*/{MAIN}"))) or "none"
            raise SettingsError(f"compose/{name}", [f"no {MAIN} there; projects are {known}"])
        source = f"compose/{name}/{DECLARATION}"
        try:
            self.declared = Declaration.model_validate(self._yaml(DECLARATION))
        except ValidationError as error:
            raise from_validation(source, error, Declaration) from error

    def rendered(
        self,
        reference: Callable[[str], str],
        labels: Mapping[str, str],
        images: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Its files by path, with images by digest and labels at every service. Raises SettingsError.

        `images`: key of the lock by key of the compose file, where the two differ.
        """
        known = images or {}
        text = HEADER.format(name=self.name) + render(
            f"compose/{self.name}/{MAIN}", self._yaml(MAIN), lambda key: reference(known.get(key, key)), labels
        )
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        others = {str(path.relative_to(self._folder)): path for path in paths}
        others = {name: path for name, path in others.items() if name not in (MAIN, DECLARATION)}
        return {MAIN: text, **{name: self._text(name) for name in others}}

    def _text(self, name: str) -> str:
        try:
            return (self._folder / name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"compose/{self.name}/{name}", [f"expected text in UTF-8 ({error})"]) from error

    def _yaml(self, name: str) -> Any:
        try:
            return load_compose((self._folder / name).read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            shown = " ".join(str(error).split())
            raise SettingsError(f"compose/{self.name}/{name}", [f"cannot be read as YAML: {shown}"]) from error


def render(source: str, content: Any, reference: Callable[[str], str], labels: Mapping[str, str]) -> str:
    """A compose file with `image` keys resolved and labels added. Raises SettingsError that names the service."""
    services = content.get("services") if isinstance(content, dict) else None
    if not isinstance(services, dict) or not services:
        raise SettingsError(source, ["services: missing, expected a mapping of services; this is no compose file"])
    done, problems = {}, []
    for name, service in services.items():
        try:
            image = reference(str(service["image"]))
        except (KeyError, TypeError):
            problems.append(f"services.{name}.image: missing, expected a key of the image lock")
            continue
        except ValueError as error:
            problems.append(f"services.{name}.image: {error}")
            continue
        own = service.get("labels") or {}
        if not isinstance(own, list | dict):
            problems.append(f"services.{name}.labels: {own!r}, expected a mapping, or a list of name=value")
            continue
        done[name] = {**service, "image": image, "labels": {**_mapping(own), **labels}}
    if problems:
        raise SettingsError(source, problems)
    shown = {key: value for key, value in content.items() if not str(key).startswith("x-")}
    return yaml.dump({**shown, "services": done}, Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=120)


class _NoAliases(yaml.SafeDumper):
    """Writes everything out: what a reviewer reads in a preview needs no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never an alias."""
        return True


def _mapping(labels: Any) -> dict[str, str]:
    """Labels are a mapping, or a list of `name=value`."""
    if isinstance(labels, list):
        return dict(str(label).partition("=")[::2] for label in labels)
    return dict(labels or {})
