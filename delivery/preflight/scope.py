"""What is checked: a stack's settings as far as they can be used, its site, and the credentials at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from settings import Program, SettingsError, Site
from settings.program import Reading, read_program
from settings.site import CHECKOUT
from settings.stack_file import ENCRYPTED, StackFile, read_stack_file


@dataclass(frozen=True)
class Secret:
    """A credential. `why_not`: why there is no value that could be tried."""

    value: str | None = field(repr=False)
    why_not: str = ""
    remedy: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether it is nowhere at all; an encrypted one is somewhere."""
        return self.value is None and "encrypted" not in self.why_not


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One stack on one site."""

    stack: str
    file: StackFile
    reading: Reading
    program: Program
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def site(self) -> Site:
        """Its site."""
        return self.program.site

    def of_stack(self, setting: str) -> str:
        """A setting of the stack, with the file that says it: the stack's own, or one below it."""
        file, where = self.reading.layers.place(setting)
        return f"{file}: {where}"

    def of_site(self, setting: str) -> str:
        """A setting of the site, with its file."""
        return f"sites/{self.site.id}.yaml: {setting}"

    def of_vm(self, name: str, setting: str) -> str:
        """A setting of the group that a VM belongs to."""
        groups = enumerate(self.program.settings.vms)
        index = next((index for index, group in groups if name in group.names()), 0)
        return self.of_stack(f"vms[{index}].{setting}")

    def owned_on(self) -> tuple[str, ...]:
        """Nodes on which the stack makes bridges or VLANs of its own."""
        bridges, vlans = self.program.owned_bridges(), self.program.owned_vlans()
        return (*(str(bridge.node) for bridge in bridges), *(str(vlan.node) for vlan in vlans))

    def used_nodes(self) -> tuple[str, ...]:
        """Nodes on which the stack has something."""
        return tuple(dict.fromkeys([*(vm.node for vm in self.program.vms), *self.owned_on()]))

    def uses_docker(self) -> bool:
        """Whether some host gets Docker."""
        settings = self.program.settings
        return bool(settings.docker) or any(parts.docker for parts in (*settings.vms, *settings.hosts))

    def unusable(self, *parts: str) -> str:
        """Why what depends on these parts of the settings cannot be checked; empty where it can."""
        return "its settings are not valid" if {"settings", *parts} & set(self.reading.errors) else ""

    def secret(self, key: str, variable: str) -> Secret:
        """A secret as the program will get it: Pulumi's own first, else the variable."""
        found = self.file.secret(key)
        remedy = f"set {variable}, or `pulumi config set --secret {key}`"
        if found == ENCRYPTED:
            return Secret(None, f"{key} is encrypted in {self.file.name}, and only the engine can read it")
        value = found or self.environ.get(variable)
        return Secret(value) if value else Secret(None, f"neither {key} nor {variable} is set", remedy)


def in_checkout(file: Path | None) -> str | None:
    """Absolute path of a file that the site file names."""
    return str(CHECKOUT / file.expanduser()) if file else None


def open_scope(stack: str) -> tuple[Scope | None, tuple[SettingsError, ...]]:
    """None, with the reasons, where not even the site is known."""
    try:
        file = read_stack_file(stack)
    except SettingsError as error:
        return None, (error,)
    reading = read_program(stack, file.raw)
    if reading.program is None:
        return None, tuple(reading.errors.values())
    return Scope(stack=stack, file=file, reading=reading, program=reading.program), tuple(reading.errors.values())
