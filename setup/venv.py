"""The checkout's Python environment: `.venv`, exactly as uv.lock says. Runs on a bare Python, standard library only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setup.cached import digest, locked, made_once
from setup.machine import Tool, ensure
from setup.places import CHECKOUT, VENV, cache_home
from setup.process import run_quietly
from setup.report import work

UV_VERSION = "0.13.9"
UV_MINIMUM = (0, 5)
"""Older ones do not know dependency groups (PEP 735)."""
PIP = Tool(name="pip3", package="python3-pip", remedy="install pip, or uv (https://docs.astral.sh/uv/)")
SUPPORTED = ((3, 11), (3, 14))
"""From, and before: `requires-python` of pyproject.toml."""


def ensure_venv() -> Path:
    """Python of `.venv`, made or brought up to date when the lock file, pyproject.toml or the Python changed."""
    python, wanted = VENV / "bin" / "python", _stamp()
    if python.exists() and _stamped() == wanted:
        return python
    cache_home().mkdir(parents=True, exist_ok=True)
    with locked(cache_home() / "venv.lock", "python: waiting for another set-up"):
        if not python.exists() or _stamped() != wanted:
            uv = ensure_uv()
            with work("python: installing the locked packages into .venv"):
                run_quietly(sync_command(uv), cwd=CHECKOUT, env=uv_environment(os.environ))
            (VENV / ".stamp").write_text(wanted)
    return python


def ensure_uv() -> str:
    """uv: the one on PATH if recent enough, else a pinned one from the package index, in our cache."""
    own = shutil.which("uv")
    if own and _version(own) >= UV_MINIMUM:
        return own
    folder = made_once("uv", digest([UV_VERSION, str(sys.version_info[:2])]), _install_uv)
    return str(folder / "bin" / "uv")


def sync_command(uv: str) -> list[str]:
    """`--frozen`: install what the lock file says, without asking an index what is newest."""
    command = [uv, "sync", "--frozen", "--quiet"]
    # The Python that runs set-up, if the project supports it; else uv looks for, or fetches, one that fits.
    return [*command, "--python", _base_python()] if SUPPORTED[0] <= sys.version_info[:2] < SUPPORTED[1] else command


def uv_environment(environ: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """Our environment with the certificates that pip was told to trust, which uv would not look at."""
    env = dict(environ, UV_PROJECT_ENVIRONMENT=str(VENV))
    env.pop("VIRTUAL_ENV", None)  # another project's activated environment is none of our business
    # A shell may still name the certificates of a lab that is gone.
    if not Path(env.get("SSL_CERT_FILE") or "/nonexistent").exists():
        env.pop("SSL_CERT_FILE", None)
    if "SSL_CERT_FILE" not in env and env.get("PIP_CERT"):
        env["SSL_CERT_FILE"] = env["PIP_CERT"]
    env.setdefault("UV_NATIVE_TLS", "true")  # until uv 0.10; later ones know it by the next name
    env.setdefault("UV_SYSTEM_CERTS", "true")
    return env


def _install_uv(folder: Path) -> None:
    """pip puts uv into a folder of its own: works where the system's Python is externally managed."""
    with work(f"python: installing uv {UV_VERSION}"):
        run_quietly([*_pip(), "install", "--quiet", "--target", str(folder), f"uv=={UV_VERSION}"])


def _pip() -> list[str]:
    """pip of this Python, else the distribution's."""
    mine = [sys.executable, "-m", "pip"]
    has_pip = subprocess.run([*mine, "--version"], capture_output=True, check=False).returncode == 0
    return mine if has_pip else [str(ensure(PIP))]


def _base_python() -> str:
    """The interpreter below any virtual environment: `.venv` must not be built on itself."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return str(base) if base.exists() else sys.executable


def _stamp() -> str:
    """What `.venv` is made from. The Python counts by version only, so that set-up may run from inside `.venv` too."""
    files = [CHECKOUT / "uv.lock", CHECKOUT / "pyproject.toml"]
    return digest([f"{sys.version_info[0]}.{sys.version_info[1]}", str(CHECKOUT)], files)


def _stamped() -> str:
    """What `.venv` was made from, or nothing."""
    stamp = VENV / ".stamp"
    return stamp.read_text() if stamp.exists() else ""


def _version(uv: str) -> tuple[int, int]:
    """`uv 0.13.9 (...)` as (0, 13)."""
    said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)
