"""`make portainer-backup`, `make portainer-restore`: Portainer's own data of one host, in a file and back."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts
from provisioning.keys import key_loader
from provisioning.portainer.api import Place, Portainer
from provisioning.portainer.backup import ENCRYPTED, backup, restore
from provisioning.ssh import Ssh

PASSWORD_VARIABLE = "HYPERCOMPOSE_PORTAINER_BACKUP_PASSWORD"  # noqa: S105  where it is, not what it is
ACCESS, SERVER = "hypercompose:portainer:Access", "hypercompose:host:PortainerServer"
SHORTEST = 12


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server as a state knows it."""

    host: str
    place: Place
    api_key: str
    address: Address


def main(arguments: list[str]) -> int:
    """Read `pulumi stack export --show-secrets` from standard input, do the command."""
    options = _parser().parse_args(arguments)
    try:
        server = chosen(servers(json.loads(sys.stdin.read() or "{}")), options.host)
        password = os.environ.get(PASSWORD_VARIABLE, "")
        if len(password) < SHORTEST:
            raise ProvisioningError(
                f"hypercompose:portainer_backup_password: {'too short' if password else 'not set'}, expected "
                f"{SHORTEST} characters or more; `pulumi config set --secret hypercompose:portainer_backup_password`"
            )
        print(options.run(server, password, options))
    except ProvisioningError as error:
        print(f"portainer-{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def servers(export: Mapping[str, Any]) -> dict[str, Server]:
    """By host, from a state."""
    resources = (export.get("deployment") or {}).get("resources") or ()
    return {server.host: server for server in _servers(resources)}


def chosen(found: Mapping[str, Server], host: str) -> Server:
    """The one that is named, or the only one. Raises ProvisioningError."""
    if host in found:
        return found[host]
    if not host and len(found) == 1:
        return next(iter(found.values()))
    there = ", ".join(sorted(found)) or "none; `make up` makes it"
    raise ProvisioningError(f"HOST: {host or 'not given'}, expected a host with Portainer: {there}")


def _servers(resources: Any) -> Iterator[Server]:
    steps = {_name(r, "-portainer-server"): _shown(r["inputs"]) for r in resources if r["type"] == SERVER}
    for resource in resources:
        host = _name(resource, "-portainer-access")
        if resource["type"] == ACCESS and host in steps:
            told, place = _shown(resource["outputs"]), steps[host]["connection"]
            yield Server(
                host=host,
                place=Place(url=told["url"], certificate=told["certificate"]),
                api_key=told["apiKey"],
                address=Address(
                    host=place["host"],
                    user=place["user"],
                    host_key=place["host_key"],
                    port=int(place.get("port") or 22),
                ),
            )


def _name(resource: Mapping[str, Any], suffix: str) -> str:
    return str(resource["urn"]).rpartition("::")[2].removesuffix(suffix)


def _shown(value: Any) -> Any:
    """Values of an export with its secrets shown: each is an object with its text as JSON."""
    if isinstance(value, Mapping):
        if "plaintext" in value:
            return json.loads(value["plaintext"])
        return {name: _shown(below) for name, below in value.items()}
    return value


def _backup(server: Server, password: str, options: argparse.Namespace) -> str:
    content = backup(Portainer(server.place, api_key=server.api_key), password)
    folder = Path(options.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{options.stack}-{server.host}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz.encrypted"
    file.touch(mode=0o600)
    file.write_bytes(content)
    return f"{file} ({len(content)} bytes)"


def _restore(server: Server, password: str, options: argparse.Namespace) -> str:
    if not options.file:
        raise ProvisioningError("FILE: not given, expected a file that `make portainer-backup` has written")
    try:
        content = Path(options.file).expanduser().read_bytes()
    except OSError as error:
        raise ProvisioningError(f"FILE: {options.file}: {error.strerror}") from error
    if not content.startswith(ENCRYPTED):
        raise ProvisioningError(f"FILE: {options.file}: no encrypted backup of Portainer's")
    kept = restore(Hosts(Ssh(key_loader(None))), server.address, content, password)
    return (
        f"{server.host}: Portainer is what it was when {Path(options.file).name} was made; its data before that are in "
        f"{kept} there. Next: make up STACK={options.stack} ARGS=--refresh"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m delivery.portainer", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--host", default="")
    commands = parser.add_subparsers(dest="command", required=True)
    saving = commands.add_parser("backup")
    saving.add_argument("--folder", required=True)
    saving.set_defaults(run=_backup)
    restoring = commands.add_parser("restore")
    restoring.add_argument("--file", default="")
    restoring.set_defaults(run=_restore)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
