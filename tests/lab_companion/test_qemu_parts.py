"""What the guest with a kernel of its own is made of."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from lab.__main__ import main
from lab.qemu.archive import packed
from lab.qemu.guest import HOST, QemuGuest, pid_file, process_of
from lab.qemu.modules import module_name, needed, packed_modules
from lab.qemu.seed import Identity, seed
from tests.lab_guests.sites import make_lab

DEPENDENCIES = """\
kernel/net/core/failover.ko.xz:
kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz
kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz
kernel/lib/crc16.ko.xz:
kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/crc16.ko.xz
kernel/fs/jbd2/jbd2.ko.xz:
"""


def test_modules_load_after_what_they_need() -> None:
    names = [module_name(path) for path in needed(DEPENDENCIES)]
    assert names == ["failover", "net_failover", "virtio_net", "crc16", "jbd2", "ext4"]


def test_modules_are_unpacked(tmp_path: Path) -> None:
    (tmp_path / "modules.dep").write_text("kernel/virtio-rng.ko.xz:\n")
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "virtio-rng.ko.xz").write_bytes(lzma.compress(b"elf"))
    assert dict(packed_modules(tmp_path)) == {"virtio_rng.ko": b"elf"}


def test_an_archive_has_folders_before_what_is_in_them_and_ends_on_a_block() -> None:
    archive = packed({"etc/ssh/key": (0o600, b"secret"), "init": (0o755, b"#!")})
    assert archive.startswith(b"070701") and len(archive) % 512 == 0
    places = [archive.index(name + b"\0") for name in (b"etc", b"etc/ssh", b"etc/ssh/key", b"TRAILER!!!")]
    assert places == sorted(places)
    assert b"000081ED" in archive and b"00008180" in archive and b"000041ED" in archive


def test_each_entry_of_an_archive_starts_at_a_multiple_of_four() -> None:
    archive = packed({"a": (0o644, b"x"), "bcd": (0o644, b"four"), "ef": (0o644, b"")})
    starts = [at for at in range(len(archive)) if archive.startswith(b"070701", at)]
    assert len(starts) == 4 and all(at % 4 == 0 for at in starts)


def test_a_guest_has_the_keys_and_names_of_its_lab() -> None:
    identity = Identity(
        interface="10.77.0.45/24",
        gateway="10.77.0.1",
        domain="lab.internal",
        host_key=(b"private", b"public"),
        user_key=b"mine",
    )
    files = seed(identity)
    assert files["seed/network"] == (0o644, b"ADDRESS=10.77.0.45/24\nGATEWAY=10.77.0.1\n")
    assert files["seed/files/etc/ssh/ssh_host_ed25519_key"] == (0o600, b"private")
    assert files["seed/files/home/ops/.ssh/authorized_keys"] == (0o600, b"mine")
    assert b"qemu.lab.internal" in files["seed/files/etc/hosts"][1]


def test_the_guest_is_in_the_network_of_the_first_bridge_and_known_by_its_pid_file(tmp_path: Path) -> None:
    lab = make_lab(tmp_path, "qemu", "10.95")
    assert QemuGuest(lab.site).address == f"10.95.1.{HOST}"
    assert pid_file(lab.site.lab) == lab.site.directory / "qemu" / "qemu.pid"
    assert process_of(lab.site.lab) is None


@pytest.mark.parametrize(
    ("words", "said"), [(["up"], "is off; run `python -m lab up` first"), (["sideways"], "expected up or down")]
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = make_lab(tmp_path, "qemu", "10.95")
    assert main(["qemu", *words, f"--site={lab.site.file}", f"--dir={lab.site.directory}"]) == 1
    assert said in capsys.readouterr().err
