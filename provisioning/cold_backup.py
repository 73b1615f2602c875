"""The named volumes of a compose project that does not run, as archives in a folder of its host: one consistent set."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime

from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts

FOLDER = "/var/lib/hypercompose/backups"
TIMEOUT_S = 1800.0
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# Written beside and renamed at the end: a folder with its final name holds everything, on the disk. What one that was
# killed has left goes with the next; the lock is held by whatever of it still runs.
PROGRAM = """set -euo pipefail
umask 077
project={project} folder={folder} stamp={stamp}
running=$(docker ps -q --filter "label=com.docker.compose.project=$project")
[ -z "$running" ] || {{ echo "its containers run; stop it first" >&2; exit 1; }}
mkdir -p "$folder/$project"
exec 9<"$folder/$project"
flock -n 9 || {{ echo "another backup of it is under way; wait for its end" >&2; exit 1; }}
rm -rf "$folder/$project"/.unfinished.*
[ ! -d "$folder/$project/$stamp" ] || {{ echo "$folder/$project/$stamp"; exit 0; }}
unfinished=$(mktemp -d "$folder/$project/.unfinished.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
docker volume ls -q --filter "label=com.docker.compose.project=$project" | while IFS= read -r volume; do
  from=$(docker volume inspect -f '{{{{.Mountpoint}}}}' "$volume")
  tar --numeric-owner --xattrs --acls -C "$from" -czf "$unfinished/$volume.tar.gz" .
done
( cd "$unfinished" && find . -name '*.tar.gz' -printf '%P\\0' | sort -z | xargs -0r sha256sum > SHA256SUMS )
sync -f "$unfinished"
mv -T "$unfinished" "$folder/$project/$stamp"
sync -f "$folder/$project"
echo "$folder/$project/$stamp"
"""


class BackupFailed(ProvisioningError):
    """There is no complete backup."""


@dataclass(frozen=True, kw_only=True)
class ColdBackup:
    """`project`: the compose project, all of whose containers are stopped or gone."""

    project: str
    at: datetime

    def make(self, hosts: Hosts, address: Address) -> str:
        """The folder on the host that holds an archive a volume, and their checksums. BackupFailed."""
        if not NAME.fullmatch(self.project):
            raise BackupFailed(f"project: {self.project!r}, expected {NAME.pattern}")
        result = hosts.ask(address, self.program(), TIMEOUT_S)
        if result.exit_code != 0:
            raise BackupFailed(f"{address.host}: backup of {self.project}: {result.stderr.strip()[-500:]}")
        return result.stdout.strip().splitlines()[-1]

    def program(self) -> str:
        """As root runs it. Repeated for the same moment, it makes nothing twice."""
        parts = {"project": self.project, "folder": FOLDER, "stamp": f"{self.at:%Y%m%dT%H%M%SZ}"}
        return PROGRAM.format(**{name: shlex.quote(value) for name, value in parts.items()})
