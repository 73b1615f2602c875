"""Plugins of the engine: official ones first, then a build or a stand-in where those could not be had."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from setup.gobuild import GoBuild, built, go_run
from setup.parts import Origin, Part
from setup.places import STANDINS, path_without_ours
from setup.process import run_quietly
from setup.releases import Release, ReleaseUnusable, downloaded, system_and_machine
from setup.report import SetupError, work


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A resource plugin, by the version its Python SDK asks for."""

    name: str
    version: str
    repository: str
    server: str = ""
    """Where the engine would look for it, as the SDK's pulumi-plugin.json says."""

    @property
    def program(self) -> str:
        """Name of its executable."""
        return f"pulumi-resource-{self.name}"

    @property
    def release(self) -> Release:
        """Its archive; both publishers name files alike."""
        system, machine = system_and_machine()
        return Release(
            repository=self.repository,
            version=self.version,
            archive=f"{self.program}-v{self.version}-{system}-{machine}.tar.gz",
            checksums=f"pulumi-{self.name}_{self.version}_checksums.txt",
        )


PROXMOXVE = Plugin(name="proxmoxve", version="8.3.0", repository="muhlba91/pulumi-proxmoxve")
COMMAND = Plugin(name="command", version="1.2.1", repository="pulumi/pulumi-command")


def ensure_proxmoxve(engine: Part, environ: Mapping[str, str]) -> Part:
    """The Proxmox VE provider: official, else the same Terraform provider joined to Pulumi's bridge by us."""
    found = official(PROXMOXVE, engine, environ)
    if isinstance(found, Part):
        return found
    folder = built(PROXMOXVE_BUILD, because=found)
    return Part(name="proxmoxve", origin=Origin.BUILD, version=PROXMOXVE.version, folder=folder)


def ensure_command(engine: Part, environ: Mapping[str, str], *, is_lab: bool) -> Part:
    """pulumi-command: official, else the stand-in, which is for the lab only."""
    found = official(COMMAND, engine, environ)
    if isinstance(found, Part):
        return found
    return standin("command", COMMAND.version, why=found, is_lab=is_lab)


def ensure_language(engine: Part, environ: Mapping[str, str], *, is_lab: bool) -> Part:
    """The Python language host: runs the program."""
    return _beside("language-python", "pulumi-language-python", engine, environ, is_lab=is_lab)


def ensure_dynamic(engine: Part, environ: Mapping[str, str], *, is_lab: bool) -> Part:
    """The runner of dynamic providers written in Python."""
    return _beside("dynamic-python", "pulumi-resource-pulumi-python", engine, environ, is_lab=is_lab)


def _beside(name: str, program: str, engine: Part, environ: Mapping[str, str], *, is_lab: bool) -> Part:
    """A part that comes beside the official engine, so that only our own build lacks it."""
    if engine.origin is not Origin.BUILD and engine.folder and (engine.folder / program).exists():
        return Part(name=name, origin=engine.origin, version=engine.version, folder=None)
    found = _on_path(program, environ)
    if found is not None:
        return Part(name=name, origin=Origin.OFFICIAL, version="", folder=found.parent)
    return standin(name, engine.version, why="it comes with the official engine, which could not be had", is_lab=is_lab)


def standin(name: str, version: str, *, why: str, is_lab: bool) -> Part:
    """Our stand-in for a part, refused on any real site."""
    if not is_lab:
        raise SetupError(
            f"{name}: {why}. Install the Pulumi CLI (https://www.pulumi.com/docs/install/); "
            "this project's stand-in is for the lab only."
        )
    return Part(name=name, origin=Origin.STANDIN, version=version, folder=STANDINS / name.replace("-", "_"))


def official(plugin: Plugin, engine: Part, environ: Mapping[str, str]) -> Part | str:
    """The official plugin, from PATH, the engine's own plugin folder or its release; else why it could not be had."""
    found = _on_path(plugin.program, environ)
    if found is not None:
        return Part(name=plugin.name, origin=Origin.OFFICIAL, version="", folder=found.parent)
    if (plugin_home(environ) / f"resource-{plugin.name}-v{plugin.version}" / plugin.program).exists():
        return Part(name=plugin.name, origin=Origin.OFFICIAL, version=plugin.version, folder=None)
    try:
        _install(plugin, engine)
    except ReleaseUnusable as reason:
        return str(reason)
    return Part(name=plugin.name, origin=Origin.RELEASE, version=plugin.version, folder=None)


def plugin_home(environ: Mapping[str, str]) -> Path:
    """Folder the engine keeps plugins in."""
    home = environ.get("PULUMI_HOME")
    return (Path(home) if home else Path.home() / ".pulumi") / "plugins"


def _install(plugin: Plugin, engine: Part) -> None:
    """Hand the verified archive to the engine, which puts it where it finds it for every project."""
    pulumi = str((engine.folder or Path()) / "pulumi")
    with tempfile.TemporaryDirectory() as room:
        archive = downloaded(plugin.release, Path(room))
        with work(f"{plugin.name}: installing the official plugin {plugin.version}"):
            install = [pulumi, "plugin", "install", "resource", plugin.name, plugin.version]
            run_quietly([*install, "--file", str(archive)], env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"})


def _on_path(program: str, environ: Mapping[str, str]) -> Path | None:
    """A program the person put on PATH, which the engine would prefer as well."""
    found = shutil.which(program, path=os.pathsep.join(path_without_ours(environ)))
    return Path(found) if found else None


def _compile_proxmoxve(sources: Path, into: Path) -> None:
    """Schema first: the plugin embeds it. It stays beside the plugin, so that a test can hold it against the SDK."""
    stamp = f"-s -w -X hypercompose.local/proxmoxve/bridge.Version={PROXMOXVE.version}"
    program = sources / "cmd" / PROXMOXVE.program
    build = ["build", "-buildvcs=false", "-ldflags", stamp, "-o"]
    go_run(*build, str(sources / "make-schema"), "./cmd/schema", cwd=sources)
    flags = ["schema", "--out", str(program), "--skip-docs", "--skip-examples"]
    run_quietly([str(sources / "make-schema"), *flags], cwd=sources)
    go_run(*build, str(into / PROXMOXVE.program), f"./cmd/{PROXMOXVE.program}", cwd=sources)
    shutil.copy(program / "schema.json", into / "schema.json")


PROXMOXVE_BUILD = GoBuild(
    name="proxmoxve", version=f"pulumi-proxmoxve {PROXMOXVE.version} on bpg 0.111.1", compile=_compile_proxmoxve
)
