"""All repositories in one folder of the user's cache, ready to be served: made by the first caller, then only found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from lab.images.recipe import tree_key
from lab.images.sources import SUITE
from lab.images.tree import root_tree
from lab.packages import base_set, cifs, docker_set
from lab.packages.apt_repository import AptSuite, finish_apt_repository
from lab.packages.deb import build_debs, with_version_suffix
from lab.packages.debian import Unpacked, architecture, installed_in, open_suite
from lab.packages.docker_set import SETS, docker_packages
from lab.packages.package import Package
from lab.packages.rpm import build_rpms
from lab.packages.rpm_repository import finish_rpm_repository
from lab.packages.signing import SigningKey, signing_keys
from setup.cached import digest, made_once
from setup.machine import Tool, ensure
from setup.report import work

VERSIONS = "docker-sets.json"
"""File of the served folder: package versions by set, format and name."""
_FOLDER = Path(__file__).parent
_TOOLS = (
    Tool(name="rpmbuild", package="rpm", remedy="install rpmbuild"),
    Tool(name="rpmsign", package="rpm", remedy="install rpmsign"),
    Tool(name="createrepo_c", package="createrepo-c", remedy="install createrepo_c"),
    Tool(name="apt-ftparchive", package="apt-utils", remedy="install apt-utils"),
)
_DEBIAN = AptSuite(name=SUITE, component="main", origin="Debian", label="Debian", suite="stable")
_SECURITY = AptSuite(
    name=f"{SUITE}-security", component="main", origin="Debian", label="Debian-Security", suite="stable-security"
)
_DOCKER = AptSuite(name=SUITE, component="stable", origin="Docker", label="Docker CE", suite=SUITE)


def ensure_packages() -> Path:
    """Folder to serve as the root of `http://packages:8081/`; SetupError says what is missing to make it."""
    keys = signing_keys()
    recipe = [file for file in [*_FOLDER.glob("*"), *docker_set.UNITS.glob("*"), cifs.PROGRAM] if file.is_file()]
    key = digest([tree_key()], [*recipe, *(signing.public for signing in keys.values())])
    return made_once("packages", key, lambda folder: _make(folder, keys))


def docker_versions(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Versions of Docker's packages by set (`a`, `b`), format (`rpm`, `deb`) and name."""
    return cast(dict[str, dict[str, dict[str, str]]], json.loads((folder / VERSIONS).read_text()))


def _make(folder: Path, keys: dict[str, SigningKey]) -> None:
    for tool in _TOOLS:
        ensure(tool)
    room, tree = folder / ".room", root_tree()
    with work("packages: fetching programs of " + " and ".join(f"Debian {suite}" for suite in SETS.values())):
        pool = folder / "apt" / "debian" / "pool" / _DEBIAN.name
        sources = _fetch(room / "apt", installed_in(tree), pool)
    with work("packages: building and signing the repositories"):
        sets = {name: docker_packages(sources[suite], room / name) for name, suite in SETS.items()}
        rpms, debs = ([pair[format] for pair in sets.values()] for format in (0, 1))
        _build_rpms(folder / "rpm/9", [one for each in rpms for one in each], sources[SUITE], room, keys)
        _build_debs(folder / "apt", debs, room, keys)
    for name, key in keys.items():
        shutil.copy(key.public, folder / f"{name}.asc")
    versions = {name: {"rpm": _versions(pair[0]), "deb": _versions(pair[1])} for name, pair in sets.items()}
    (folder / VERSIONS).write_text(json.dumps(versions, indent=2) + "\n")
    shutil.rmtree(room)


def _fetch(room: Path, installed: str, pool: Path) -> dict[str, dict[str, Unpacked]]:
    """Unpacked packages by suite; apt's own for the guests go to the pool as they are."""

    def of_suite(name: str) -> dict[str, Unpacked]:
        suite = open_suite(name, room / name, installed=installed)
        if name != SUITE:
            return suite.fetch(docker_set.SOURCES)
        suite.fetch_with_needs(base_set.DEBS, pool)
        return suite.fetch([*docker_set.SOURCES, docker_set.INIT, *base_set.SOURCES])

    with ThreadPoolExecutor() as threads:
        found = dict(zip(SETS.values(), threads.map(of_suite, SETS.values()), strict=True))
    init = {docker_set.INIT: found[SUITE][docker_set.INIT]}
    return {suite: packages | init for suite, packages in found.items()}


def _build_rpms(
    root: Path, docker: list[Package], base: Mapping[str, Unpacked], room: Path, keys: Mapping[str, SigningKey]
) -> None:
    build_rpms(docker, root / "docker", room / "rpm-docker")
    finish_rpm_repository(root / "docker", keys["docker"])
    packages = base_set.base_rpms(base, room / "base")
    build_rpms(packages, root / "base", room / "rpm-base")
    finish_rpm_repository(root / "base", keys["base"], updateinfo=base_set.updateinfo(packages[0]))


def _build_debs(root: Path, docker: list[list[Package]], room: Path, keys: Mapping[str, SigningKey]) -> None:
    arch, pool = architecture(), root / "debian" / "pool"
    for number, packages in enumerate(docker):
        build_debs(packages, root / "docker" / "pool" / _DOCKER.name, room / f"deb-docker-{number}", arch)
    finish_apt_repository(root / "docker", (_DOCKER,), keys["docker"], arch)
    build_debs([cifs.for_apt(room / "deb-cifs-utils")], pool / _DEBIAN.name, room / "deb-base", arch)
    tree = next((pool / _DEBIAN.name).glob("tree_*.deb"))
    with_version_suffix(tree, "+lab1", pool / _SECURITY.name, room / "security")
    finish_apt_repository(root / "debian", (_DEBIAN, _SECURITY), keys["base"], arch)


def _versions(packages: Iterable[Package]) -> dict[str, str]:
    return {package.name: package.evr for package in packages}
