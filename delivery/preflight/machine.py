"""This machine: programs and their versions, room on its disks, the SSH key."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from delivery.preflight.check import About, Check, told
from delivery.preflight.declared import SSH_KEY
from delivery.preflight.scope import Scope
from provisioning.errors import ProvisioningError
from provisioning.keys import KEY_FILE_VARIABLE, key_loader, open_to_others
from provisioning.machine import find_plugin, free_bytes, version_of
from settings import SettingsError
from settings.site import CHECKOUT
from settings.stack_file import ENCRYPTED

GIB = 1 << 30
LEAST_FREE_BYTES = GIB
PLUGINS = {"proxmoxve": "pulumi-proxmoxve", "command": "pulumi-command"}


def check_machine(scope: Scope) -> Iterator[Check]:
    """What plain `pulumi up` would find here."""
    yield About(name="program", subject="python").passed(".".join(map(str, sys.version_info[:3])))
    yield _pulumi()
    yield _program("git", "install it (Debian: apt-get install git)")
    yield from (_plugin(name, package) for name, package in PLUGINS.items())
    yield from _disks()
    if scope.program.vms or scope.program.hosts:
        yield _key(scope)


def _pulumi() -> Check:
    about, wanted = About(name="program", subject="pulumi"), metadata.version("pulumi")
    found = version_of("pulumi", "version")
    if found is None:
        return about.failed("is not on PATH", '`make env` gets one; then eval "$(make -s env)"')
    if found.partition(".")[0] != wanted.partition(".")[0]:
        return about.failed(f"{found}, and the program is written for {wanted}", "install that version")
    return about.passed(f"{found}, the program's SDK is {wanted}")


def _program(name: str, remedy: str) -> Check:
    about, found = About(name="program", subject=name), version_of(name, "--version")
    return about.passed(found) if found else about.failed("is not on PATH", remedy)


def _plugin(name: str, package: str) -> Check:
    about, wanted = About(name="plugin", subject=name), metadata.version(package)
    found = find_plugin(name, wanted)
    if found is None:
        return about.failed(
            f"{wanted} is neither on PATH nor among the engine's plugins",
            f"`make env` gets it, or: pulumi plugin install resource {name} {wanted}",
        )
    return about.passed(wanted if found.is_exact else f"on PATH; the SDK's is {wanted}")


def _disks() -> Iterator[Check]:
    for what, path in (("checkout", CHECKOUT), ("temporary files", Path(tempfile.gettempdir()))):
        about, free = About(name="disk", subject=what), free_bytes(path)
        detail = f"{free / GIB:.1f} GiB free at {path}"
        if free < LEAST_FREE_BYTES:
            yield about.failed(detail, "free some: state, caches and logs are written while `up` runs")
        else:
            yield about.passed(detail)


def _key(scope: Scope) -> Check:
    about = About(name="ssh key", field=scope.of_site("ssh.public_keys"))
    given = scope.file.secret(SSH_KEY)
    if given == ENCRYPTED:
        return about.unknown(f"{SSH_KEY} is encrypted in {scope.file.name}, and only the engine can read it")
    if not given and not scope.environ.get(KEY_FILE_VARIABLE):
        return about.unknown(f"neither {SSH_KEY} nor {KEY_FILE_VARIABLE} is set")
    try:
        key = key_loader(given)()
        allowed = [line.split()[:2] for line in scope.site.authorized_keys()]
    except (ProvisioningError, SettingsError, OSError) as error:
        return about.failed(*told(error, "name a private key without a passphrase, and its public half"))
    if scope.program.vms and [key.get_name(), key.get_base64()] not in allowed:
        return about.failed(
            "its public half is not among those that new VMs will let in",
            "put it into ssh.public_keys (`ssh-keygen -y -f KEY` prints it)",
        )
    loose = "" if given else open_to_others(Path(scope.environ[KEY_FILE_VARIABLE]).expanduser())
    return about.passed(f"{key.get_name()}, as in ssh.public_keys", f"advice: {loose}" if loose else "")
