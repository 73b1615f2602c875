"""A cold backup by the program that runs on hosts, with a docker of folders: complete, or not there at all."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioning import cold_backup as module
from provisioning.cold_backup import BackupFailed, ColdBackup
from provisioning.host import Address, Result

DOCKER = """#!/bin/bash
# Volumes are folders of $VOLUMES/<project>; a project whose file `running` is there runs.
[ -z "${DOCKER_FAILS:-}" ] || { echo "docker: no daemon" >&2; exit 1; }
case "$1 $2" in
"ps -q") p=${4#label=com.docker.compose.project=}; [ ! -e "$VOLUMES/$p/running" ] || echo c0ffee ;;
"volume ls") p=${5#label=com.docker.compose.project=}; ls "$VOLUMES/$p" 2>/dev/null | grep -vx running; true ;;
"volume inspect") [ "$3 $4" = "-f {{.Mountpoint}}" ] && echo "$VOLUMES"/*/"$5" ;;
*) exit 99 ;;
esac
"""
ADDRESS = Address(host="10.0.0.9", user="ops", host_key="ssh-ed25519 AAAA")
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
STAMP = "20261126T120000Z"


@dataclass
class Machine:
    """A host in a folder, on which the program runs for real."""

    folder: Path
    env: Mapping[str, str]

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def volume(self, name: str, project: str = "i-shop", files: Mapping[str, bytes] | None = None) -> Path:
        place = self.folder / "volumes" / project / name
        place.mkdir(parents=True)
        for file, content in (files or {}).items():
            (place / file).write_bytes(content)
        return place

    def command(self, at: datetime = AT, project: str = "i-shop") -> str:
        return ColdBackup(project=project, at=at).program().replace(module.FOLDER, str(self.backups))

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        program = program.replace(module.FOLDER, str(self.backups))
        done = subprocess.run(["bash", "-s"], input=program, capture_output=True, text=True, env=self.env, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def make(self, at: datetime = AT, project: str = "i-shop") -> Path:
        hosts: Any = self
        return Path(ColdBackup(project=project, at=at).make(hosts, ADDRESS))

    def fails(self, **more: Any) -> str:
        with pytest.raises(BackupFailed) as raised:
            self.make(**more)
        return str(raised.value)

    def left(self, project: str = "i-shop") -> list[str]:
        folder = self.backups / project
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "VOLUMES": str(tmp_path / "volumes")}
    return Machine(tmp_path, env)


def test_every_volume_is_in_an_archive_of_its_own_with_a_checksum(machine: Machine) -> None:
    machine.volume("odoo-db-data", files={"$(reboot) 'ü\n\"": b"data", "PG_VERSION": b"15"})
    machine.volume("odoo-web-data")
    machine.volume("theirs", project="other")
    made = machine.make()
    assert made == machine.backups / "i-shop" / STAMP
    assert sorted(path.name for path in made.iterdir()) == [
        "SHA256SUMS",
        "odoo-db-data.tar.gz",
        "odoo-web-data.tar.gz",
    ]
    with tarfile.open(made / "odoo-db-data.tar.gz") as archive:
        file = archive.extractfile("./$(reboot) 'ü\n\"")
        assert file is not None and file.read() == b"data"
    lines = [line.partition("  ") for line in (made / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, _, name in lines}
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made.iterdir() if path.name != "SHA256SUMS"
    }


def test_nobody_else_can_read_it(machine: Machine) -> None:
    machine.volume("data")
    made = machine.make()
    assert [path.stat().st_mode & 0o077 for path in (made, *made.iterdir())] == [0, 0, 0]


def test_modes_and_links_of_the_data_are_kept(machine: Machine) -> None:
    place = machine.volume("data", files={"file": b"x"})
    (place / "file").chmod(0o640)
    (place / "link").symlink_to("/etc/passwd")
    with tarfile.open(machine.make() / "data.tar.gz") as archive:
        assert archive.getmember("./file").mode == 0o640
        assert archive.getmember("./link").linkname == "/etc/passwd"


def test_a_project_without_volumes_is_an_empty_set(machine: Machine) -> None:
    assert [path.name for path in machine.make().iterdir()] == ["SHA256SUMS"]


def test_it_refuses_while_containers_run(machine: Machine) -> None:
    machine.volume("data")
    (machine.folder / "volumes" / "i-shop" / "running").touch()
    assert machine.fails() == "10.0.0.9: backup of i-shop: its containers run; stop it first"
    assert machine.left() == []


def test_the_same_moment_makes_nothing_twice(machine: Machine) -> None:
    place = machine.volume("data", files={"file": b"x"})
    made = machine.make()
    before = (made / "SHA256SUMS").read_text()
    (place / "file").write_bytes(b"y")
    assert machine.make() == made and (made / "SHA256SUMS").read_text() == before
    assert machine.left() == [STAMP]


@pytest.mark.parametrize("broken", ["tar", "sha256sum", "sync", "mv"])
def test_what_fails_on_the_way_leaves_nothing_and_says_why(machine: Machine, broken: str) -> None:
    machine.volume("a")
    machine.volume("b")
    program = machine.folder / "bin" / broken
    program.write_text("#!/bin/sh\necho 'no space left on device' >&2\nexit 1\n")
    program.chmod(0o755)
    assert "no space left on device" in machine.fails()
    assert machine.left() == []
    program.unlink()
    machine.make()
    assert machine.left() == [STAMP]


def test_a_volume_that_cannot_be_read_fails_it_also_when_it_is_not_the_last(machine: Machine) -> None:
    machine.volume("b")
    place = machine.volume("a")
    place.rmdir()
    place.touch()  # no folder
    assert machine.fails().startswith("10.0.0.9: backup of i-shop: ")
    assert machine.left() == []


def test_a_docker_that_is_away_is_no_backup(machine: Machine) -> None:
    machine.volume("data")
    machine.env = {**machine.env, "DOCKER_FAILS": "1"}
    assert "docker: no daemon" in machine.fails()
    assert machine.left() == []


def half_way(machine: Machine) -> subprocess.Popen[str]:
    """One whose second archive takes for ever."""
    machine.volume("a", files={"file": b"a"})
    machine.volume("b")
    slow = machine.folder / "bin" / "tar"
    slow.write_text(
        f'#!/bin/bash\nfor last; do :; done\ncase "$*" in */b.tar.gz*) echo half >{machine.folder}/b; exec sleep 60 ;; '
        'esac\nPATH=/usr/bin:/bin exec tar "$@"\n'
    )
    slow.chmod(0o755)
    started = subprocess.Popen(
        ["bash", "-s"], stdin=subprocess.PIPE, text=True, env=machine.env, start_new_session=True
    )
    assert started.stdin is not None
    started.stdin.write(machine.command())
    started.stdin.close()
    until = time.monotonic() + 20
    while not (machine.folder / "b").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return started


def test_one_that_was_killed_leaves_no_folder_with_its_final_name_and_the_next_cleans_up(machine: Machine) -> None:
    killed = half_way(machine)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    (left,) = machine.left()
    assert left.startswith(".unfinished.")
    (machine.folder / "bin" / "tar").unlink()
    made = machine.make(at=AT + timedelta(minutes=1))
    assert machine.left() == [made.name] and len(list(made.iterdir())) == 3


def test_while_something_of_an_earlier_one_still_runs_there_is_no_other(machine: Machine) -> None:
    first = half_way(machine)
    try:
        os.kill(first.pid, signal.SIGKILL)  # its archiver goes on
        first.wait()
        (machine.folder / "bin" / "tar").unlink()
        assert "another backup of it is under way" in machine.fails(at=AT + timedelta(minutes=1))
        machine.volume("data", project="i-other")
        assert machine.make(project="i-other").exists()
    finally:
        os.killpg(first.pid, signal.SIGKILL)


@pytest.mark.parametrize("project", ["", "$(reboot)", "a b", "../x", "-x", "A", "a\n", "ü", "'; true; '", "a" * 64])
def test_what_is_no_name_of_a_project_is_refused_before_anything_is_asked(machine: Machine, project: str) -> None:
    assert machine.fails(project=project).startswith(f"project: {project!r}, expected ")
    assert not machine.backups.exists()
