"""Git over HTTP with the `git` program, whose failures are told in the words of the real server's library."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.portainer.addresses import host_and_port
from lab.portainer.trust import write_bundle

ASKPASS = """#!/bin/sh
case "$1" in
Username*) printf '%s' "$HYPERCOMPOSE_LAB_GIT_USER" ;;
*) printf '%s' "$HYPERCOMPOSE_LAB_GIT_PASSWORD" ;;
esac
"""
logger = logging.getLogger(__name__)
_COMMIT = re.compile(r"[0-9a-f]{40}")


class GitError(Exception):
    """Git failed; the text is the real library's."""


class GitAuthError(GitError):
    """The repository wants other credentials."""

    def __init__(self) -> None:
        """Always the same words."""
        super().__init__("authentication failed, please ensure that the git credentials are correct")


@dataclass(frozen=True)
class Repository:
    """A repository as a stack names it."""

    url: str
    reference: str
    user: str = ""
    password: str = ""
    skip_verify: bool = False


class Git:
    """Clones, and asks for commits."""

    def __init__(self, folder: Path) -> None:
        """`folder` gets the program that hands credentials to git."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._askpass = folder / "askpass"
        self._askpass.write_text(ASKPASS)
        self._askpass.chmod(0o700)
        self._folder = folder

    async def clone(self, repository: Repository, into: Path) -> None:
        """Put the files of a reference into a folder; files there that the repository has not are removed.

        One that fails or is cut off leaves `.git` in a folder that had files, and with it there none succeeds any more.
        """
        into.parent.mkdir(parents=True, exist_ok=True)
        begun = into / ".git"
        if begun.exists():
            raise GitError("failed to clone git repository: repository already exists")
        if into.is_dir() and any(into.iterdir()):
            begun.mkdir()
        if _COMMIT.fullmatch(repository.reference):
            raise GitError("failed to clone git repository: reference not found")
        with tempfile.TemporaryDirectory(prefix="clone-", dir=into.parent) as room:
            fresh = Path(room) / "tree"
            await self._run(["init", "--quiet", str(fresh)], repository)
            fetch = ["-C", str(fresh), "fetch", "--quiet", "--depth=1", "--no-tags", "--", repository.url]
            await self._wrapped([*fetch, repository.reference or "HEAD"], repository, "failed to clone git repository")
            await self._run(["-C", str(fresh), "checkout", "--quiet", "--detach", "FETCH_HEAD"], repository)
            shutil.rmtree(fresh / ".git")
            await asyncio.to_thread(_replace_content, into, fresh)

    async def latest_commit(self, repository: Repository) -> str:
        """The commit that a reference points to. A short name is not found, though `clone` takes it."""
        command = ["ls-remote", "--symref", "--", repository.url]
        lines = (await self._wrapped(command, repository, "failed to list repository refs")).splitlines()
        wanted = repository.reference.lower() or "head"
        for line in lines:
            value, _, name = line.partition("\t")
            if name.lower() == wanted and _COMMIT.fullmatch(value):
                return value
        raise GitError(f'could not find ref "{repository.reference}" in the repository')

    async def _wrapped(self, command: list[str], repository: Repository, failed: str) -> str:
        try:
            return await self._run(command, repository)
        except GitAuthError:
            raise
        except GitError as error:
            raise GitError(f"{failed}: {error}") from error

    async def _run(self, command: list[str], repository: Repository) -> str:
        process = await asyncio.create_subprocess_exec(
            "git",
            "-c",
            "protocol.version=0",  # the real library speaks no newer one
            *command,
            env=self._environment(repository),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            raise
        if process.returncode:
            said = err.decode(errors="replace")
            logger.warning("git: %s", said.strip())
            raise translated(said, repository.url)
        return out.decode(errors="replace")

    def _environment(self, repository: Repository) -> dict[str, str]:
        """Git without the machine's configuration; Go's variables for certificates count here too."""
        given = {name: os.environ[name] for name in ("PATH", "no_proxy", "NO_PROXY") if name in os.environ}
        env = given | {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "http:https",
            "LC_ALL": "C",
        }
        env["GIT_SSL_CAINFO"] = str(write_bundle(self._folder))
        if repository.skip_verify:
            env["GIT_SSL_NO_VERIFY"] = "1"
        if repository.password:
            env["GIT_ASKPASS"] = str(self._askpass)
            env["HYPERCOMPOSE_LAB_GIT_USER"] = repository.user or "token"
            env["HYPERCOMPOSE_LAB_GIT_PASSWORD"] = repository.password
        return env


def translated(said: str, url: str) -> GitError:
    """The real library's error for what the program said."""
    host, port = host_and_port(url)
    refs = f'Get "{url}/info/refs?service=git-upload-pack"'
    known = (
        (r"could not read (Username|Password)|Authentication failed", None),
        (r"not found$|not appear to be a git repository|transport '.*' not allowed", "repository not found"),
        (r"couldn't find remote ref|not our ref", "reference not found"),
        (r"Failed to connect|Connection refused", f"{refs}: dial tcp {host}:{port}: connect: connection refused"),
        (r"Could not resolve host", f"{refs}: dial tcp: lookup {host}: no such host"),
        (
            r"certificate verification failed|certificate problem",
            f"{refs}: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        ),
    )
    for pattern, text in known:
        if re.search(pattern, said, re.M):
            return GitError(text) if text else GitAuthError()
    return GitError(said.strip().splitlines()[-1] if said.strip() else "unknown error")


def _replace_content(folder: Path, fresh: Path) -> None:
    """In place, so that folders and files that containers have mounted stay the same ones."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {entry.name for entry in fresh.iterdir()}
    for entry in folder.iterdir():
        known = entry.name in wanted
        source = fresh / entry.name
        if known and entry.is_dir() and not entry.is_symlink() and source.is_dir() and not source.is_symlink():
            _replace_content(entry, source)
        elif not known or not entry.is_file() or entry.is_symlink() or not source.is_file() or source.is_symlink():
            _remove(entry)
    for source in fresh.iterdir():
        target = folder / source.name
        if source.is_symlink() and not target.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir() and not target.exists():
            shutil.copytree(source, target, symlinks=True)
        elif source.is_file() and not source.is_symlink():
            shutil.copy(source, target)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
