"""A dnf repository: signed RPMs, and metadata signed by the same key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lab.packages.signing import GPG, SigningKey
from setup.machine import ensure
from setup.process import run_quietly


def finish_rpm_repository(folder: Path, key: SigningKey, *, updateinfo: str = "") -> None:
    """Sign the RPMs in a folder, write repodata beside them and sign that; `updateinfo` is XML of advisories."""
    with key.environment() as env:
        _sign_rpms(sorted(folder.glob("*.rpm")), key.owner, env)
        run_quietly(["createrepo_c", "--quiet", "--no-database", str(folder)], env=env)
        if updateinfo:
            file = folder / "updateinfo.xml"
            file.write_text(updateinfo)
            run_quietly(["modifyrepo_c", str(file), str(folder / "repodata")], env=env)
            file.unlink()
        run_quietly(["gpg", "--batch", "--armor", "--detach-sign", str(folder / "repodata" / "repomd.xml")], env=env)


def _sign_rpms(rpms: Iterable[Path], owner: str, env: Mapping[str, str]) -> None:
    macros = {
        "_gpg_name": owner,
        "__gpg": str(ensure(GPG)),
        "_gpg_sign_cmd_extra_args": "--batch --pinentry-mode loopback",
    }
    defined = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    run_quietly(["rpmsign", *defined, "--addsign", *map(str, rpms)], env=env)
