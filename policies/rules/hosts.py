"""What a host lets happen: who logs in and how, what Docker allows, what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resource import Resource, items, pairs, shown
from policies.rule import Level, Rule
from provider.values import UNKNOWN

DOC = "docs/hosts.md"
MOST_TRIES, LONGEST_GRACE_S = 4, 60
EVERYTHING = re.compile(r"NOPASSWD:\s*(SETENV:\s*)?ALL\b")
DAEMON = {"icc": False, "live-restore": True, "no-new-privileges": True}


def logins(resource: Resource) -> Iterator[str]:
    """Ways in for root, or by password."""
    if resource.get("permit_root_login") not in ("no", UNKNOWN):
        yield f"permit_root_login: {shown(resource.get('permit_root_login'))}"
    if resource.get("password_login") not in (False, None, UNKNOWN):
        yield f"password_login: {shown(resource.get('password_login'))}"


def patience(resource: Resource) -> Iterator[str]:
    """Room for guessing."""
    for key, most in (("max_auth_tries", MOST_TRIES), ("login_grace_s", LONGEST_GRACE_S)):
        found = resource.get(key)
        if isinstance(found, int) and found > most:
            yield f"{key}: {found}, more than {most}"


def everything(resource: Resource) -> Iterator[str]:
    """Rules that make somebody root without a password."""
    for rule in items(resource.get("rules")):
        if EVERYTHING.search(str(rule)):
            yield f"rules: {shown(rule)}"


def open_daemon(resource: Resource) -> Iterator[str]:
    """Daemons that confine less than they should, or fill the disk."""
    config = resource.get("config")
    if not isinstance(config, dict):
        return
    for key, wanted in DAEMON.items():
        if config.get(key) is not wanted:
            yield f"config.{key}: {shown(config.get(key))}"
    if config.get("log-driver", "json-file") == "json-file" and "max-size" not in dict(pairs(config.get("log-opts"))):
        yield "config.log-opts.max-size: none"
    for address in items(config.get("hosts")):
        if not str(address).startswith(("unix://", "fd://")):
            yield f"config.hosts: {shown(address)}"


def unsigned(resource: Resource) -> Iterator[str]:
    """Repositories of which nobody checks the packages."""
    for kind in ("dnf", "apt"):
        source = resource.get(kind)
        if isinstance(source, dict) and not source.get("key"):
            yield f"{kind}.key: none"


def not_updated(resource: Resource) -> Iterator[str]:
    """Hosts that wait for somebody to remember them."""
    if resource.get("policy") == "none":
        yield 'policy: "none"'


def logged(resource: Resource) -> Iterator[str]:
    """Commands whose output, secrets and all, would be shown and kept."""
    if resource.get("logging") not in ("none", UNKNOWN):
        yield f"logging: {shown(resource.get('logging'))}"
    if resource.get("addPreviousOutputInEnv") is not False:
        yield f"addPreviousOutputInEnv: {shown(resource.get('addPreviousOutputInEnv'))}"


RULES = (
    Rule(
        name="ssh-by-key-only",
        level=Level.MANDATORY,
        holds="nobody logs in as root, or by password",
        remedy="take `permit_root_login` and `password_login` out of `baseline.ssh`",
        doc=DOC,
        types=("hypercompose:host:SshServer",),
        find=logins,
        guard="settings: so by default",
    ),
    Rule(
        name="ssh-without-guessing",
        level=Level.ADVISORY,
        holds=f"SSH allows {MOST_TRIES} tries and {LONGEST_GRACE_S} seconds at most",
        remedy="lower them",
        doc=DOC,
        types=("hypercompose:host:SshServer",),
        find=patience,
        guard="settings: so by default",
    ),
    Rule(
        name="sudo-names-commands",
        level=Level.ADVISORY,
        holds="sudo without a password is for named commands",
        remedy="list the commands; ALL makes its user root",
        doc=DOC,
        types=("hypercompose:host:SudoRule",),
        find=everything,
    ),
    Rule(
        name="docker-daemon-confined",
        level=Level.MANDATORY,
        holds="Docker listens on its socket alone, keeps containers apart, and limits their logs",
        remedy="take that key out of `docker.daemon`; what is made here is right",
        doc=DOC,
        types=("hypercompose:host:DockerDaemon",),
        find=open_daemon,
        guard="settings: so by default; provider: no `hosts`",
    ),
    Rule(
        name="packages-signed",
        level=Level.MANDATORY,
        holds="packages come from repositories whose key is known",
        remedy="name the `key` in the site file",
        doc="docs/sites.md",
        types=("hypercompose:host:DockerRepository",),
        find=unsigned,
        guard="settings: `key` is required",
    ),
    Rule(
        name="updates-by-itself",
        level=Level.ADVISORY,
        holds="a host installs security updates by itself",
        remedy="set `baseline.updates.policy` to security",
        doc=DOC,
        types=("hypercompose:host:Updates",),
        find=not_updated,
    ),
    Rule(
        name="commands-not-logged",
        level=Level.MANDATORY,
        holds="what commands print is neither shown nor handed on",
        remedy="declare commands under `commands` of a host, which does that",
        doc=DOC,
        types=("command:*",),
        find=logged,
        guard="program: always set",
    ),
)
