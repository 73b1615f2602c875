"""The bare repository that Portainer reads: one branch, one file, a commit for each release.

Nothing is ever taken back: what comes back is released anew, as Portainer deploys only a commit that it has not seen.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.gate.state import now
from provisioning.git import clear_locks

BRANCH = "refs/heads/release"
FILE = "compose.yaml"
TIMEOUT_S = 60
_WHO = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Hypercompose gate"), ("EMAIL", "gate@localhost"))
}


class Mirror:
    """One stack's releases."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the bare repository; it is made with the first release."""
        self.folder = folder

    def prepare(self, text: str, message: str) -> str:
        """A release commit that nobody sees yet."""
        clear_locks(self.folder)
        if not all((self.folder / part).exists() for part in ("HEAD", "config", "refs")):
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._git("init", "--quiet", "--bare", f"--initial-branch={BRANCH.rpartition('/')[2]}")
        blob = self._git("hash-object", "-w", "--stdin", stdin=text)
        tree = self._git("mktree", stdin=f"100644 blob {blob}\t{FILE}\n")
        parent = ["-p", before] if (before := self.head()) else []  # with it, each is another commit than all before
        return self._git("commit-tree", tree, *parent, stdin=f"{message}\n\nReleased: {now()}\n")

    def publish(self, release: str) -> None:
        """Portainer's ref is at that release from now on."""
        clear_locks(self.folder)
        self._git("update-ref", BRANCH, release)

    def head(self) -> str:
        """Where the ref is; empty before the first release."""
        try:
            return self._git("rev-parse", "--quiet", "--verify", BRANCH)
        except ProvisioningError:
            return ""

    def text(self, release: str) -> str:
        """The file of a release."""
        return self._git("cat-file", "blob", f"{release}:{FILE}", strip=False)

    def _git(self, *arguments: str, stdin: str = "", strip: bool = True) -> str:
        place = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "GIT_DIR": str(self.folder)}
        command = ["git", "-c", "core.fsync=committed", *arguments]
        done = subprocess.run(
            command, input=stdin.encode(), capture_output=True, timeout=TIMEOUT_S, check=False, env=place | _WHO
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {done.returncode}"]
            raise ProvisioningError(f"the gate's own repository {self.folder}: git {arguments[0]}: {said[0]}")
        text = done.stdout.decode()
        return text.strip() if strip else text
