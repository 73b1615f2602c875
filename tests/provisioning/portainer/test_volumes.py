"""Volumes on their way to another project, by the script that runs on hosts, with a docker of files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provisioning.host import Address, Result
from provisioning.portainer import volumes as module
from provisioning.portainer.volumes import Project, VolumesNotCopied, copy_volumes

DOCKER = """#!/bin/bash
# volumes are folders of $VOLUMES: data, and files `labels`, `options`; who uses one is told by the file `used`
case "$1 $2" in
"volume ls") for v in "$VOLUMES"/*/; do grep -qsx "${5#label=}" "$v/labels" && basename "$v"; done; true ;;
"volume inspect")
    case $3 in --format) form=$4 name=$5 ;; *) form= name=$3 ;; esac
    [ -d "$VOLUMES/$name" ] || exit 1
    case $form in
    *Mountpoint*) echo "$VOLUMES/$name/data" ;;
    *Driver*) echo "$(sed -n 's/^com.docker.compose.volume=//p' "$VOLUMES/$name/labels") $name" \\
        "$(cat "$VOLUMES/$name/options" 2>/dev/null || echo local 0)" ;;
    esac ;;
"volume create") mkdir -p "$VOLUMES/$7/data"; printf '%s\\n' "$4" "$6" >"$VOLUMES/$7/labels" ;;
"ps --filter") cat "$VOLUMES/${3#volume=}/used" 2>/dev/null; true ;;
*) exit 99 ;;
esac
"""
OLD = Address(host="10.0.0.8", user="ops", host_key="ssh-ed25519 AAAA")
NEW = Address(host="10.0.0.9", user="ops", host_key="ssh-ed25519 AAAA")


@dataclass
class Machines:
    """A folder for each host, in which the programs run for real."""

    folder: Path
    programs: list[str] = field(default_factory=list)
    breaks_at: str = ""

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        room = self.folder / address.host
        self.programs.append(program)
        if self.breaks_at and self.breaks_at in program:
            return Result(1, "", "no space left on device\n")
        program = program.replace("/var/lib/hypercompose/moving", str(room / "moving"))
        env = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "VOLUMES": str(room / "volumes")}
        done = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, env=env, check=False)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def volume(self, address: Address, name: str) -> Path:
        return self.folder / address.host / "volumes" / name

    def make(self, address: Address, name: str, project: str, key: str = "data", options: str = "") -> Path:
        place = self.volume(address, name)
        (place / "data").mkdir(parents=True)
        labels = (f"com.docker.compose.project={project}", f"com.docker.compose.volume={key}", "")
        (place / "labels").write_text("\n".join(labels))
        if options:
            (place / "options").write_text(options)
        return place / "data"


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    for address in (OLD, NEW):
        (tmp_path / address.host / "volumes").mkdir(parents=True)
    return Machines(tmp_path)


def copy(machines: Machines, new: Project | None = None) -> None:
    copy_volumes(machines, Project(address=OLD, name="shop"), new or Project(address=NEW, name="store"))  # type: ignore[arg-type]


def test_a_volume_arrives_whole_on_another_host_in_pieces(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_BYTES", 1000)
    data = machines.make(OLD, "shop_data", "shop")
    (data / "ünï $(reboot)").write_bytes(os.urandom(5000))
    (data / "below").mkdir(mode=0o711)
    (data / "below" / "link").symlink_to("../x")
    copy(machines)
    there = machines.volume(NEW, "store_data")
    assert (there / "data" / "ünï $(reboot)").read_bytes() == (data / "ünï $(reboot)").read_bytes()
    assert (there / "data" / "below").stat().st_mode & 0o777 == 0o711
    assert (there / "data" / "below" / "link").readlink() == Path("../x")
    assert "com.docker.compose.project=store" in (there / "labels").read_text()
    assert len([program for program in machines.programs if "exec base64 -d" in program]) > 5
    for address in (OLD, NEW):
        assert not list((machines.folder / address.host).glob("moving/*"))


def test_on_the_same_host_nothing_travels(machines: Machines) -> None:
    (machines.make(OLD, "shop_data", "shop") / "x").write_text("kept")
    copy(machines, Project(address=OLD, name="store"))
    assert (machines.volume(OLD, "store_data") / "data" / "x").read_text() == "kept"
    assert (machines.volume(OLD, "shop_data") / "data" / "x").read_text() == "kept"
    assert not any("exec base64 -d" in program for program in machines.programs)


def test_a_volume_with_a_name_of_its_own_keeps_it_and_needs_no_copy_on_its_host(machines: Machines) -> None:
    (machines.make(OLD, "common", "shop") / "x").write_text("kept")
    copy(machines, Project(address=OLD, name="store"))
    assert not any("what=pack" in program for program in machines.programs)
    copy(machines)
    assert (machines.volume(NEW, "common") / "data" / "x").read_text() == "kept"


def test_what_is_there_stays_as_it_is(machines: Machines) -> None:
    (machines.make(OLD, "shop_data", "shop") / "x").write_text("old")
    (machines.make(NEW, "store_data", "store") / "x").write_text("newer")
    copy(machines)
    assert (machines.volume(NEW, "store_data") / "data" / "x").read_text() == "newer"


def test_volumes_of_others_and_those_with_their_data_elsewhere_are_left_out(machines: Machines) -> None:
    machines.make(OLD, "other_data", "other")
    machines.make(OLD, "shop_share", "shop", "share", "local 3")
    machines.make(OLD, "shop_cloud", "shop", "cloud", "rexray 0")
    copy(machines)
    assert not list((machines.folder / NEW.host / "volumes").iterdir())


def test_a_volume_in_use_is_not_copied(machines: Machines) -> None:
    machines.make(OLD, "shop_data", "shop")
    (machines.volume(OLD, "shop_data") / "used").write_text("shop-db-1\n")
    with pytest.raises(VolumesNotCopied, match=r"10\.0\.0\.8: volumes of shop: pack shop_data: in use by shop-db-1"):
        copy(machines)


@pytest.mark.parametrize("at", ["what=unpack", "exec base64 -d"])
def test_what_was_cut_off_is_made_anew_by_the_next_try(machines: Machines, at: str) -> None:
    (machines.make(OLD, "shop_data", "shop") / "x").write_text("kept")
    machines.breaks_at = at
    with pytest.raises(VolumesNotCopied, match="no space left on device"):
        copy(machines)
    half = machines.make(NEW, "store_data", "store")  # as `unpack` leaves it when it is killed on its way
    (half / "half").write_text("half")
    (machines.folder / NEW.host / "moving").mkdir(exist_ok=True)
    (machines.folder / NEW.host / "moving" / "store_data.begun").touch()
    machines.breaks_at = ""
    copy(machines)
    assert [path.name for path in half.iterdir()] == ["x"]
