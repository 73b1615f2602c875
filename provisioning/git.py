"""A git repository over HTTPS, with the real git: what a ref holds, and refs of our own. Credentials never in argv."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.errors import ProvisioningError

ASK_S, MOVE_S = 20, 120
"""For a question, and for commits on their way."""
LARGEST_FILE_BYTES = 1 << 20
_ASKPASS = """#!/bin/sh
case $1 in Username*) printf %s "$HYPERCOMPOSE_ASKED_USER" ;; *) printf %s "$HYPERCOMPOSE_ASKED_PASSWORD" ;; esac
"""
_OPTIONS = ("-c", "credential.helper=", "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=20")
_OF_ANOTHER_REPOSITORY = frozenset(
    f"GIT_{name}"
    for name in ("INDEX_FILE", "WORK_TREE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "NAMESPACE", "PREFIX")
)
"""git sets them for its hooks, from one of which this may run."""
_AUTHOR = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Hypercompose"), ("EMAIL", "hypercompose@localhost"))
}


class GitError(ProvisioningError):
    """git could not do it; the text says which of repository, credentials, ref or network it was."""

    def __init__(self, text: str, said: str = "") -> None:
        """Take the text for people, and all that git said."""
        super().__init__(text)
        self.said = said


class RefChanged(GitError):
    """Somebody pushed to a ref in between."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A commit, files of it by path, who made it, and the first line of why."""

    commit: str
    files: Mapping[str, bytes]
    author: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where it is, and who asks. `ca` is the path of a PEM file; none: the system's."""

    url: str
    ca: str | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    patience_s: int = ASK_S
    """For a question."""
    folder: Path | None = None
    """Where to keep what was fetched, for the next time; None: nowhere."""

    def head(self, ref: str) -> str | None:
        """The commit that a ref is at; None where the ref does not exist. `HEAD` is the default branch."""
        with self._git() as git:
            return self._at(git, ref)

    def snapshot(self, ref: str, below: str = "") -> tuple[str, Mapping[str, bytes]]:
        """A ref's commit and its files below a folder, by path; big files are left out. GitError for no such ref."""
        found = self.fetch(ref, below)
        return found.commit, found.files

    def fetch(self, ref: str, below: str = "") -> Snapshot:
        """The same, with who made the commit and what for."""
        with self._git() as git:
            git("fetch", "--quiet", "--depth=1", "--", self.url, ref)
            if self.folder:
                git("update-ref", "refs/kept", "FETCH_HEAD")  # so that the next fetch brings the difference only
            listed = git("ls-tree", "-r", "-l", "-z", "FETCH_HEAD", *([f"{below}/"] if below else []))
            found = dict(_small_files(listed))
            contents = {path: git.bytes("cat-file", "blob", blob) for path, blob in found.items()}
            told = git("log", "-1", "--no-show-signature", "--format=%H%n%an <%ae>%n%s", "FETCH_HEAD").split("\n")
            return Snapshot(commit=told[0], files=contents, author=told[1], subject=told[2])

    def publish(self, ref: str, files: Mapping[str, str], message: str) -> str:
        """Make the ref hold exactly these files; returns its commit, the old one where nothing differs."""
        with self._git() as git:
            old = self._at(git, ref)
            if old:
                git("fetch", "--quiet", "--depth=1", "--", self.url, old)
            for path, text in sorted(files.items()):
                blob = git("hash-object", "-w", "--stdin", stdin=text.encode()).strip()
                git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
            tree = git("write-tree").strip()
            if old and git("rev-parse", f"{old}^{{tree}}").strip() == tree:
                return old
            commit = git("commit-tree", tree, *(["-p", old] if old else []), stdin=message.encode()).strip()
            self._push(git, ref, commit, old or "")
            return commit

    def move(self, ref: str, commit: str) -> None:
        """Set a ref to a commit that the repository holds."""
        with self._git() as git:
            git("fetch", "--quiet", "--depth=1", "--", self.url, commit)
            self._push(git, ref, commit, None)

    def advance(self, ref: str, commit: str) -> bool:
        """Set a ref to a commit that follows right after the one it is at; False, and nothing done, for every other."""
        at = self.head(ref)
        with self._git() as git:
            try:
                git("fetch", "--quiet", "--depth=2", "--", self.url, commit)
            except GitError:
                return False
            if at is None or at not in git("rev-list", "--parents", "--max-count=1", commit).split()[1:]:
                return False
            self._push(git, ref, commit, at)
            return True

    def follow_up(self, ref: str, commit: str, message: str) -> str:
        """Set a ref to a commit with the same files right after this one; returns it."""
        with self._git() as git:
            git("fetch", "--quiet", "--depth=1", "--", self.url, commit)
            next_one = git("commit-tree", f"{commit}^{{tree}}", "-p", commit, stdin=message.encode()).strip()
            self._push(git, ref, next_one, None)
            return next_one

    def may_push(self, ref: str) -> None:
        """Rehearse a push, up to where the server has let us in and named its refs; nothing is sent. Raises GitError.

        Rules for single branches, and hooks, only speak up when commits come.
        """
        with self._git() as git:
            tree = git("mktree").strip()
            commit = git("commit-tree", tree, stdin=b"rehearsal").strip()
            git("push", "--dry-run", "--quiet", "--force", "--", self.url, f"{commit}:{ref}")

    def remove(self, ref: str) -> None:
        """Delete a ref; one that is gone is no error."""
        if self.head(ref) is not None:
            with self._git() as git:
                git("push", "--quiet", "--", self.url, f":{ref}")

    def _push(self, git: _Git, ref: str, commit: str, expected: str | None) -> None:
        lease = "--force" if expected is None else f"--force-with-lease={ref}:{expected}"
        try:
            git("push", "--quiet", lease, "--", self.url, f"{commit}:{ref}")
        except GitError as error:
            if "stale info" in error.said or "[rejected]" in error.said:
                raise RefChanged(f"{self.url}: {ref} was pushed to by somebody else just now; run it again") from error
            raise

    def _at(self, git: _Git, ref: str) -> str | None:
        lines = git("ls-remote", "--", self.url, ref).splitlines()
        return next((line.split("\t")[0] for line in lines if line.endswith(f"\t{ref}")), None)

    @contextmanager
    def _git(self) -> Iterator[_Git]:
        program = shutil.which("git")
        if program is None:
            raise GitError("git: not installed on this machine; install it (Debian: apt-get install git)")
        with ExitStack() as stack:
            folder = self.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hypercompose-git-")))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            clear_locks(folder)
            git = _Git(program, folder, self)
            git("init", "--quiet", "--bare", ".")
            yield git


def clear_locks(folder: Path) -> None:
    """Remove what a git that was killed has left locked. Whoever calls has the repository for himself."""
    for lock in (*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")):
        lock.unlink(missing_ok=True)


class _Git:
    """git in a folder of its own."""

    def __init__(self, program: str, folder: Path, repository: Repository) -> None:
        self._program, self._folder, self._repository = program, folder, repository
        askpass = folder / "askpass"
        askpass.write_text(_ASKPASS)
        askpass.chmod(0o700)
        self._env = {
            **{name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY},
            **_AUTHOR,
            "GIT_ASKPASS": str(askpass),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "https:http",
            "GIT_DIR": str(folder),
            "LC_ALL": "C.UTF-8",
            "HYPERCOMPOSE_ASKED_USER": repository.user,
            "HYPERCOMPOSE_ASKED_PASSWORD": repository.password,
            **({"GIT_SSL_CAINFO": repository.ca} if repository.ca else {}),
        }

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        """What it printed, as text."""
        return self.bytes(*arguments, stdin=stdin).decode(errors="replace")

    def bytes(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What it printed. GitError where it failed."""
        asks = arguments[0] == "ls-remote" or "--dry-run" in arguments
        limit_s = self._repository.patience_s if asks else MOVE_S
        running = subprocess.Popen(
            [self._program, *_OPTIONS, *arguments],
            cwd=self._folder,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = running.communicate(stdin, limit_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(running.pid, signal.SIGKILL)  # its helper for https would keep the pipes open
            running.communicate()
            raise GitError(f"{self._repository.url}: the git server does not answer within {limit_s} s") from error
        if running.returncode:
            said = err.decode(errors="replace")
            raise GitError(_explained(self._repository, said, arguments), said)
        return out


def _small_files(listed: str) -> Iterator[tuple[str, str]]:
    """Path and blob of each regular file of `ls-tree -l -z`."""
    for entry in filter(None, listed.split("\0")):
        head, _, path = entry.partition("\t")
        mode, kind, blob, size = head.split()
        if kind == "blob" and mode in ("100644", "100755") and int(size) <= LARGEST_FILE_BYTES:
            yield path, blob


def _explained(repository: Repository, said: str, arguments: Sequence[str]) -> str:
    text, where = said.replace(repository.url, "").lower(), repository.url
    ref = arguments[-1].rpartition(":")[2]
    last = " ".join(said.strip().splitlines()[-1:])[:300]
    if "authentication failed" in text or "could not read username" in text or "error: 403" in text:
        who = f"the login of {repository.user}" if repository.user else "to be read without a login"
        return f"{where}: refuses {who}; set hypercompose:git_password, and look at the user's rights there"
    if "couldn't find remote ref" in text or "unadvertised object" in text:
        return f"{where}: has no {ref}; push it there, or name another ref (refs/heads/<branch>)"
    if "not found" in text or "does not appear to be a git repository" in text:
        return f"{where}: no such repository; look at its address"
    if "certificate" in text or "ssl" in text:
        return f"{where}: its TLS certificate is not trusted; put its CA into the site file under git.ca ({last})"
    if "could not resolve" in text or "failed to connect" in text or "couldn't connect" in text or "timed out" in text:
        return f"{where}: the git server does not answer ({last})"
    return f"{where}: git {arguments[0]}: {last or 'failed without a word'}"
