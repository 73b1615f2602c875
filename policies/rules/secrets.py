"""What is secret is marked so, and is nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.compose import TYPES, services
from policies.resource import Resource, items, pairs
from policies.rule import Level, Rule
from provider.values import UNKNOWN

DOC = "docs/adr/0014-secrets-of-stacks-are-files.md"
STACKS = ("hypercompose:portainer:Stack", "hypercompose:portainer:GatedStack")
SECRET = {
    "pulumi:providers:proxmoxve": ("apiToken", "password"),
    "pulumi:providers:hypercompose": ("apiToken", "sshPrivateKey"),
    "hypercompose:host:PortainerServer": ("password",),
    "hypercompose:host:DockerListener": ("key",),
    "hypercompose:host:RegistryLogin": ("password",),
    "hypercompose:host:SecretFiles": ("files",),
    "hypercompose:host:ShareMount": ("password",),
    "hypercompose:windows:ServiceConfig": ("secretValues", "secretWindows"),
    "hypercompose:portainer:Access": ("password",),
    "hypercompose:portainer:Settings": ("server.apiKey",),
    "hypercompose:portainer:Environment": ("server.apiKey", "remote.key"),
    "hypercompose:portainer:Registry": ("server.apiKey", "password"),
    "hypercompose:portainer:RegistryAccess": ("server.apiKey",),
    "hypercompose:portainer:Stack": ("server.apiKey", "password", "hide", "hook"),
    "hypercompose:portainer:GatedStack": ("server.apiKey", "password", "hide", "hook", "webhook"),
    "hypercompose:host:ReleaseGate": ("password",),
    "hypercompose:host:Router": ("key",),
    "hypercompose:tls:Certificate": ("authority.key",),
    "hypercompose:git:Publication": ("password",),
    "command:remote:Command": ("connection.privateKey", "connection.password"),
    "command:remote:CopyToRemote": ("connection.privateKey", "connection.password"),
}
"""By type, the inputs that must never be kept or shown as they are."""
NAME = re.compile(r"(?i)(^|_|-)(pass(word|wd|phrase)?|pwd|secret|token|api_?key|private_?key|credentials?)$")
IN_TEXT = re.compile(r"(?i)\b(password|pwd|token|api[_-]?key|secret)=[^\s;$\"'{]{3,}|://[^\s/:@]+:[^\s/@$]+@")


def in_the_clear(resource: Resource) -> Iterator[str]:
    """Secrets that are not marked: the state would hold them, previews would show them. Their values are not told."""
    for path in SECRET.get(resource.type, ()):
        if not all(map(resource.is_marked, _known(path, resource.get(path)))):
            yield f"{path}: not marked as a secret"
    for name, value in pairs(resource.get("env")) if resource.type in STACKS else ():
        if _gives_away(name, value) and not resource.is_marked(f"env.{name}"):
            yield f"env.{name}: not marked as a secret"


def in_files(resource: Resource) -> Iterator[str]:
    """Passwords that stand in a compose file, and so in git."""
    for service in services(resource):
        for name, value in _variables(service.content.get("environment")):
            if _gives_away(name, value):
                yield f"{service.where}.environment.{name}: a value"


def in_variables(resource: Resource) -> Iterator[str]:
    """Secrets that `docker inspect` shows to all of its users."""
    for name, _ in pairs(resource.get("env")):
        if resource.is_marked(f"env.{name}"):
            yield f"env.{name}: a secret"


def _known(path: str, value: Any) -> Iterator[str]:
    """Paths of all that is known and not empty."""
    inner = dict(pairs(value)) or {str(index): one for index, one in enumerate(items(value))}
    for name, one in inner.items():
        yield from _known(f"{path}.{name}", one)
    if not inner and value not in (None, UNKNOWN, "", [], {}):
        yield path


def _gives_away(name: str, value: Any) -> bool:
    if not isinstance(value, str) or not value or "$" in value:
        return False
    return (bool(NAME.search(name)) and not value.startswith("/")) or bool(IN_TEXT.search(value))


def _variables(environment: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(environment, Mapping):
        yield from environment.items()
    for entry in environment if isinstance(environment, list) else ():
        name, _, value = str(entry).partition("=")
        yield name, value


RULES = (
    Rule(
        name="secrets-are-secret",
        level=Level.MANDATORY,
        holds="passwords, tokens and keys are marked as secrets",
        remedy="`pulumi config set --secret`, or `secrets` of the stack",
        doc=DOC,
        types=tuple(SECRET),
        find=in_the_clear,
        guard="program: its own are always marked; `env` of a stack is free",
    ),
    Rule(
        name="no-secret-in-compose",
        level=Level.MANDATORY,
        holds="no password, token or key stands in a compose file",
        remedy="use a file of `secrets`, by <NAME>_FILE where the image knows that",
        doc=DOC,
        types=TYPES,
        find=in_files,
    ),
    Rule(
        name="secrets-are-files",
        level=Level.ADVISORY,
        holds="secrets reach containers as files",
        remedy="take `variable: true` out, where the application can read a file",
        doc=DOC,
        types=STACKS,
        find=in_variables,
        guard="settings: so by default",
    ),
)
