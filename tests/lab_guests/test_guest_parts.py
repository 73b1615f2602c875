"""Seeds, disks, limits, records: the parts of a guest that need none to be tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.guests import disks, files
from lab.guests.containers import cpuset
from lab.guests.records import Records
from lab.guests.wires import interfaces_of
from lab.hypervisor import Disk, Machine, Nic


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root directory of a pretended guest."""
    (tmp_path / "dev").mkdir()
    monkeypatch.setattr(files, "inside", lambda _, path: tmp_path / path.lstrip("/"))
    monkeypatch.setattr(disks, "inside", lambda _, path: tmp_path / path.lstrip("/"))
    return tmp_path


def test_a_seed_replaces_the_one_before(root: Path) -> None:
    files.place_seed(1, {"user-data": b"old", "vendor-data": b"old"})
    files.place_seed(1, {"user-data": b"new", "meta-data": b""})
    folder = root / "var/lib/cloud/seed/nocloud"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"user-data": b"new", "meta-data": b""}
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())


def test_no_seed_leaves_no_folder(root: Path) -> None:
    files.place_seed(1, {"user-data": b"x"})
    files.place_seed(1, None)
    files.place_seed(1, None)
    assert not (root / "var/lib/cloud/seed/nocloud").exists()


def test_a_seed_cannot_leave_its_folder(root: Path) -> None:
    files.place_seed(1, {"../../../../etc/passwd": b"x"})
    assert not (root / "etc").exists()


def test_the_agent_answers_once_its_marker_is_there(root: Path) -> None:
    assert not files.agent_is_up(1)
    (root / "run/hypervisor").mkdir(parents=True)
    (root / "run/hypervisor/agent").touch()
    assert files.agent_is_up(1)


@pytest.mark.parametrize(
    ("slot", "name"),
    [("scsi0", "sda"), ("scsi1", "sdb"), ("scsi30", "sdae"), ("virtio0", "vda"), ("virtio15", "vdp"), ("sata2", "sdc")],
)
def test_disks_have_the_kernels_names(slot: str, name: str) -> None:
    assert disks.device_name(slot) == name


def test_disks_are_plugged_once_and_unplugged(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[str, ...]] = []

    def run(*command: str) -> str:
        calls.append(command)
        return "/dev/null\n"

    monkeypatch.setattr(disks, "run", run)
    monkeypatch.setattr(disks, "run_json", lambda *_: {"loopdevices": [{"name": "/dev/null"}]} if calls else [])
    monkeypatch.setattr("os.mknod", lambda node, *_: node.touch())
    disk = Disk(slot="scsi1", file=tmp_path / "disk.raw")
    disks.plug(1, [disk])
    disks.plug(1, [disk])
    assert calls[0] == ("losetup", "--find", "--show", str(disk.file))
    assert calls[1] == ("losetup", "--set-capacity", "/dev/null")
    link = root / "dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"
    assert str(link.readlink()) == "../../sdb"
    disks.plug(1, [])
    assert not link.is_symlink() and not (root / "dev/sdb").exists()


def test_neighbours_start_at_different_processors() -> None:
    assert cpuset(100, 1, 2) == "0" and cpuset(101, 1, 2) == "1"
    assert sorted(cpuset(103, 4, 4).split(",")) == ["0", "1", "2", "3"]


def test_a_record_comes_back_as_it_was_without_the_seed(tmp_path: Path) -> None:
    records = Records(tmp_path / "guests")
    nics = (Nic(slot=0, mac="BC:24:11:00:00:01", bridge="red", tag=7), Nic(slot=2, mac="BC:24:11:00:00:02", bridge="b"))
    disk = Disk(slot="scsi1", file=tmp_path / "x.raw")
    machine = Machine(vmid=7, name="n", cores=2, memory_mib=9, nics=nics, disks=(disk,), seed={"user-data": b"secret"})
    records.put(machine, powered=True)
    found = records.get(7)
    assert found and found.powered and found.machine.seed is None
    assert (found.machine.nics, found.machine.disks, found.machine.memory_mib) == (nics, (disk,), 9)
    assert "secret" not in "".join(file.read_text() for file in (tmp_path / "guests").iterdir())
    records.switched_off(7)
    assert [record.powered for record in records.all()] == [False]
    records.forget(7)
    records.switched_off(7)
    assert list(records.all()) == []


def test_the_agents_answer_is_read_from_ip(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [
        {"family": "inet", "local": "10.1.0.5", "prefixlen": 24},
        {"family": "inet6", "local": "fe80::1", "prefixlen": 64},
    ]
    shown = [{}, {"ifname": "eth0", "address": "bc:24:11:00:00:01", "addr_info": known}]
    monkeypatch.setattr("lab.guests.wires.run_json", lambda *_: shown)
    (found,) = interfaces_of(1)
    assert (found.name, found.mac) == ("eth0", "bc:24:11:00:00:01")
    assert found.addresses == ("10.1.0.5/24", "fe80::1/64")
