"""Secrets of a stack: from Pulumi's configuration, else from the environment that `make env` fills."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG

from settings import Program, SettingsError
from settings.secrets import (
    COMPANION_VARIABLE,
    GIT_VARIABLE,
    REGISTRY_VARIABLE,
    git_user,
    link_secret_problems,
    missing_password,
    registry_user,
    route_key_problems,
    stack_secret_problems,
)

KEY_FILE_VARIABLE = "HYPERCOMPOSE_SSH_KEY_FILE"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """None where there is none; the providers then look into their own environment."""

    api_token: pulumi.Input[str] | None
    ssh_private_key: pulumi.Input[str] | None
    registry_password: pulumi.Input[str] | None
    git_password: pulumi.Input[str] | None = None
    portainer_password: pulumi.Input[str] | None = None
    """None: one is made up for each server."""
    stacks: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Stack -> name -> value, for secrets that are not made up."""
    link_passwords: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)
    """Of the user of each link's share."""
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Link -> name -> value."""
    route_keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)
    """Of the certificates that the site gives for names of instances, by host."""

    @classmethod
    def of(cls, program: Program) -> Secrets:
        """Those that this program needs. Raises SettingsError for one that is missing."""
        own, site = pulumi.Config("hypercompose"), program.site
        return cls(
            api_token=pulumi.Config("proxmoxve").get_secret("apiToken"),
            ssh_private_key=own.get_secret("ssh_private_key"),
            registry_password=_password(own, site.id, "registry", REGISTRY_VARIABLE, registry_user(program)),
            git_password=_password(own, site.id, "git", GIT_VARIABLE, git_user(program)),
            portainer_password=own.get_secret("portainer_password"),
            stacks=_stack_secrets(program),
            **_of_links(program),
            route_keys=_route_keys(program),
        )

    def key_for_commands(self, program: Program) -> pulumi.Input[str] | None:
        """The private key itself, which pulumi-command wants, only where a host has commands. It is kept encrypted."""
        if self.ssh_private_key is not None or not any(host.commands for host in program.hosts):
            return self.ssh_private_key
        file = Path(os.environ.get(KEY_FILE_VARIABLE, "")).expanduser()
        if not file.is_file():
            raise SettingsError(KEY_FILE_VARIABLE, [f"{file}: no such file; `commands` of a host need the private key"])
        return pulumi.Output.secret(file.read_text())


def _stack_secrets(program: Program) -> Mapping[str, Mapping[str, str]]:
    """Raises SettingsError for one that nobody makes up and nobody gives, or that no stack has."""
    found = _given("stack_secrets", "stack")
    problems = list(stack_secret_problems({plan.name: plan.secrets for plan in program.stacks}, found))
    if problems:
        raise SettingsError(f"Pulumi.{program.stack}.yaml", problems)
    return found


def _of_links(program: Program) -> dict[str, Any]:
    """Raises SettingsError for a password or a secret that nobody gives."""
    own, found = _flat("link_passwords", "link"), _given("link_secrets", "link")
    shared = os.environ.get(COMPANION_VARIABLE)
    problems = list(link_secret_problems(program.links, set(own), found, shared=bool(shared)))
    if problems:
        raise SettingsError(f"Pulumi.{program.stack}.yaml", problems)
    passwords = {link.name: pulumi.Output.secret(own.get(link.name, shared or "")) for link in program.links}
    return {"link_passwords": passwords, "links": found}


def _route_keys(program: Program) -> Mapping[str, pulumi.Input[str]]:
    """Raises SettingsError for a key that is missing, is not the certificate's, or belongs to none."""
    found = _flat("route_keys", "host")
    given = {host: plan.certificate for host, plan in program.routers.items() if plan.certificate}
    if problems := list(route_key_problems(given, found)):
        raise SettingsError(f"Pulumi.{program.stack}.yaml", problems)
    return {host: pulumi.Output.secret(key) for host, key in found.items()}


def _given(name: str, of: str) -> dict[str, dict[str, str]]:
    """A secret setting of two levels. Raises SettingsError for another form."""
    with _in_form(name, f"{of} -> name -> value") as given:
        return {key: {one: str(value) for one, value in own.items()} for key, own in given.items()}


def _flat(name: str, of: str) -> dict[str, str]:
    """A secret setting of one level."""
    with _in_form(name, f"{of} -> value") as given:
        return {key: str(value) for key, value in given.items()}


@contextmanager
def _in_form(name: str, form: str) -> Iterator[Any]:
    """A secret setting as it was given. SettingsError where the block finds it otherwise than the form says."""
    try:
        yield json.loads(CONFIG.get().get(f"hypercompose:{name}") or "{}")
    except (ValueError, AttributeError):
        remedy = "`pulumi config set --secret --path`"
        raise SettingsError(f"hypercompose:{name}", [f"expected {form}; {remedy}"]) from None


def _password(own: pulumi.Config, site: str, what: str, variable: str, user: str | None) -> pulumi.Input[str] | None:
    """Pulumi's secret, else the variable. Raises SettingsError where somebody has to log in and neither is there."""
    found: pulumi.Input[str] | None = own.get_secret(f"{what}_password")
    if found is None and (given := os.environ.get(variable)):
        found = pulumi.Output.secret(given)
    if found is None and user:
        raise SettingsError(f"sites/{site}.yaml", [missing_password(what, variable, user)])
    return found
