"""Secrets of a stack: from Pulumi's configuration, else from the environment that `make env` fills."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pulumi

from settings import Program, SettingsError

REGISTRY_VARIABLE = "HYPERCOMPOSE_REGISTRY_PASSWORD"
KEY_FILE_VARIABLE = "HYPERCOMPOSE_SSH_KEY_FILE"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """None where there is none; the providers then look into their own environment."""

    api_token: pulumi.Input[str] | None
    ssh_private_key: pulumi.Input[str] | None
    registry_password: pulumi.Input[str] | None

    @classmethod
    def of(cls, program: Program) -> Secrets:
        """Those that this program needs. Raises SettingsError for one that is missing."""
        own = pulumi.Config("hypercompose")
        password: pulumi.Input[str] | None = own.get_secret("registry_password")
        if password is None and (given := os.environ.get(REGISTRY_VARIABLE)):
            password = pulumi.Output.secret(given)
        if password is None and any(h.docker and h.docker.registry and h.docker.registry.user for h in program.hosts):
            raise SettingsError(
                f"sites/{program.site.id}.yaml",
                [
                    f"registry.user: {program.site.registry and program.site.registry.user} has no password; set "
                    f"{REGISTRY_VARIABLE}, or `pulumi config set --secret hypercompose:registry_password`"
                ],
            )
        return cls(
            api_token=pulumi.Config("proxmoxve").get_secret("apiToken"),
            ssh_private_key=own.get_secret("ssh_private_key"),
            registry_password=password,
        )

    def key_for_commands(self, program: Program) -> pulumi.Input[str] | None:
        """The private key itself, which pulumi-command wants, only where a host has commands. It is kept encrypted."""
        if self.ssh_private_key is not None or not any(host.commands for host in program.hosts):
            return self.ssh_private_key
        file = Path(os.environ.get(KEY_FILE_VARIABLE, "")).expanduser()
        if not file.is_file():
            raise SettingsError(KEY_FILE_VARIABLE, [f"{file}: no such file; `commands` of a host need the private key"])
        return pulumi.Output.secret(file.read_text())
