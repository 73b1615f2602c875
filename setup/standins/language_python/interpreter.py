"""Which Python runs a program: the virtual environment that Pulumi.yaml names, else the one on PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path


def interpreter(root: str, options: Mapping[str, object]) -> str:
    """Path of the Python for the project at `root`; raises FileNotFoundError with a sentence for people."""
    virtualenv = options.get("virtualenv")
    if virtualenv:
        python = Path(root, str(virtualenv), "bin", "python")
        if not python.exists():
            raise FileNotFoundError(f"virtualenv: {virtualenv} in Pulumi.yaml has no {python}; run `make env`")
        return str(python)
    found = shutil.which(os.environ.get("PULUMI_PYTHON_CMD") or "python3") or shutil.which("python")
    if found is None:
        raise FileNotFoundError("no Python on PATH, and Pulumi.yaml names no virtualenv")
    return found


def activated(environ: Mapping[str, str], python: str) -> dict[str, str]:
    """The environment as an activated virtual environment has it, so that what the program starts is found there."""
    folder = Path(python).parent
    env = dict(environ, PATH=f"{folder}{os.pathsep}{environ.get('PATH', os.defpath)}")
    if (folder.parent / "pyvenv.cfg").exists():
        env["VIRTUAL_ENV"] = str(folder.parent)
        env.pop("PYTHONHOME", None)
    return env


def distributions(python: str) -> Iterator[tuple[str, str]]:
    """Name and version of what is installed beside a Python, read from its metadata folders."""
    for folder in _site_packages(python).glob("*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        yield name.replace("_", "-"), version


def _site_packages(python: str) -> Path:
    """The folder packages are installed in; a Python outside a virtual environment is not looked into."""
    return next(iter(Path(python).parent.parent.glob("lib/python3*/site-packages")), Path("/nonexistent"))
