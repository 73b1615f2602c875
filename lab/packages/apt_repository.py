"""An apt repository: an index of each suite's packages, and one signed file that vouches for it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from lab.packages.signing import SigningKey
from setup.process import run_quietly


@dataclass(frozen=True, kw_only=True)
class AptSuite:
    """One suite with one component, whose packages are in `pool/<name>` of the repository."""

    name: str
    component: str
    origin: str
    label: str
    suite: str


def finish_apt_repository(root: Path, suites: tuple[AptSuite, ...], key: SigningKey, architecture: str) -> None:
    """Write `dists` beside `pool` and sign it."""
    with key.environment() as env:
        for suite in suites:
            dist = root / "dists" / suite.name
            index = dist / suite.component / f"binary-{architecture}"
            index.mkdir(parents=True)
            packages = run_quietly(["apt-ftparchive", "packages", f"pool/{suite.name}"], cwd=root)
            (index / "Packages").write_text(packages)
            (index / "Packages.gz").write_bytes(gzip.compress(packages.encode(), mtime=0))
            release = run_quietly(["apt-ftparchive", *_options(suite, architecture), "release", "."], cwd=dist)
            (dist / "Release").write_text(release)
            run_quietly(["gpg", "--batch", "--clearsign", f"--output={dist}/InRelease", f"{dist}/Release"], env=env)


def _options(suite: AptSuite, architecture: str) -> list[str]:
    fields = {
        "Origin": suite.origin,
        "Label": suite.label,
        "Suite": suite.suite,
        "Codename": suite.name,
        "Architectures": architecture,
        "Components": suite.component,
    }
    return [f"--option=APT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
