"""The Pulumi engine: the one on PATH if recent enough, else the official release, else the pinned Go build."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from setup.gobuild import GoBuild, built, go_run
from setup.parts import Origin, Part
from setup.places import cache_home, path_without_ours
from setup.releases import Release, ReleaseUnusable, system_and_machine, unpacked
from setup.report import say

VERSION = "3.259.0"
"""The version of the SDK in pyproject.toml, which this project is tested with."""
MINIMUM = (3, 220)
"""Any flag can be given as PULUMI_OPTION_<FLAG> since late 2025 (we hand over the stack's configuration file that way),
and `plugins.providers` runs a provider from a folder: both are in 3.220."""
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"


def ensure_engine(environ: Mapping[str, str]) -> Part:
    """The engine to use. Official ones win; a build is the very same program from the same sources."""
    own = _on_path(environ)
    if own is not None:
        return own
    try:
        folder = unpacked(release(), strip="pulumi")
        return Part(name="engine", origin=Origin.RELEASE, version=VERSION, folder=folder)
    except ReleaseUnusable as reason:
        folder = built(BUILD, because=str(reason))
        return Part(name="engine", origin=Origin.BUILD, version=VERSION, folder=folder)


def release() -> Release:
    """The archive of the command line tool: engine, language hosts, dynamic providers."""
    system, machine = system_and_machine()
    machine = {"amd64": "x64"}.get(machine, machine)
    return Release(
        repository="pulumi/pulumi",
        version=VERSION,
        archive=f"pulumi-v{VERSION}-{system}-{machine}.tar.gz",
        checksums=f"pulumi-{VERSION}-checksums.txt",
    )


def version_of(program: Path) -> tuple[int, int, int]:
    """Version a `pulumi` says it has; (0, 0, 0) when it does not say. Remembered, since asking takes 0.3 s."""
    state = program.stat()
    memory = cache_home() / "engine-versions.json"
    key = f"{program.resolve()} {state.st_mtime_ns} {state.st_size}"
    known: dict[str, str] = _read(memory)
    if key not in known:
        known[key] = _ask(program)
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps(known))
    return parsed(known[key])


def parsed(text: str) -> tuple[int, int, int]:
    """`v3.259.0-dev` as (3, 259, 0)."""
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)


def _on_path(environ: Mapping[str, str]) -> Part | None:
    """The person's own `pulumi`; one that is too old is named and passed over."""
    found = shutil.which("pulumi", path=os.pathsep.join(path_without_ours(environ)))
    if found is None:
        return None
    version = version_of(Path(found))
    text = ".".join(map(str, version))
    if version[:2] < MINIMUM:
        say(f"engine: pulumi {text} at {found} is older than {'.'.join(map(str, MINIMUM))}; not used")
        return None
    # Its language hosts are beside the real program, which may be behind a link.
    return Part(name="engine", origin=Origin.OFFICIAL, version=text, folder=Path(found).resolve().parent)


def _ask(program: Path) -> str:
    """What `pulumi version` prints, without its look-up of newer versions."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    done = subprocess.run([program, "version"], env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _read(memory: Path) -> dict[str, str]:
    """Remembered answers; a file cut short by a crash counts as none."""
    try:
        return dict(json.loads(memory.read_text()))
    except (OSError, ValueError):
        return {}


def _compile(sources: Path, into: Path) -> None:
    """The version is a linker flag upstream too: without it the engine calls itself a development build."""
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    go_run("build", "-buildvcs=false", "-ldflags", f"-s -w {stamp}", "-o", str(into / "pulumi"), PACKAGE, cwd=sources)


BUILD = GoBuild(name="engine", version=f"pulumi v{VERSION}", compile=_compile)
