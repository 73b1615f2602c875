"""The guest of one lab: its disk, its cable, its QEMU process, and what it has of this lab's keys and names."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.identity import Lab
from lab.keys import openssh_pair, write_private
from lab.machine import ip_batch, succeeds
from lab.network import Network, gateway_interface
from lab.processes import end, process_with
from lab.qemu.archive import packed
from lab.qemu.build import DISK, INITRAMFS, KERNEL, ensure_guest
from lab.qemu.seed import NAME, USER, Identity, seed
from lab.site import Site
from setup.machine import Tool, ensure
from setup.process import run_quietly
from setup.report import SetupError, work

HOST = 45
"""Its number in the network of the site's first bridge."""
MEMORY_MIB = 768
BOOT_S = 180.0
_QEMU = Tool(name="qemu-system-x86_64", package="qemu-system-x86", remedy="install QEMU for x86-64")
_QEMU_IMG = Tool(name="qemu-img", package="qemu-utils", remedy="install qemu-img")
_KERNEL_WORDS = (
    "console=ttyS0 quiet net.ifnames=0 mitigations=off apparmor=0 selinux=0 audit=0 tsc=unstable systemd.show_status=no"
)


@dataclass(frozen=True)
class QemuGuest:
    """One lab's guest with a kernel of its own."""

    site: Site

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return str(ipaddress.ip_network(self.site.world.bridges[0].cidr)[HOST])

    @property
    def folder(self) -> Path:
        """Its disk, console and keys."""
        return folder_of(self.site.lab)

    def up(self) -> dict[str, str]:
        """It runs and takes SSH; how to reach it."""
        host_key = self._host_key()
        if process_of(self.site.lab) is None:
            self._start(host_key)
        described = {"name": NAME, "address": self.address, "user": USER, "host_key": host_key[1].decode()}
        return {**described, "console": str(self.folder / "console")}

    def _start(self, host_key: tuple[bytes, bytes]) -> None:
        built = ensure_guest()
        with work(f"lab {self.site.lab.site}: booting the QEMU guest"):
            self._prepare_disk(built)
            initramfs = (built / INITRAMFS).read_bytes() + packed(seed(self._identity(host_key)))
            write_private(self.folder / "initramfs", initramfs)
            self._plug()
            with (self.folder / "qemu.log").open("wb") as log:
                process = subprocess.Popen(
                    self._command(built),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd="/",
                )
            self._wait(process)

    def _prepare_disk(self, built: Path) -> None:
        """What the guest writes stays in a file of this lab, above the disk that all labs share."""
        disk, base = self.folder / "disk.qcow2", built / DISK
        known = self.folder / "base"
        if not disk.exists() or known.read_text() != str(base):
            disk.unlink(missing_ok=True)
            run_quietly(
                [str(ensure(_QEMU_IMG)), "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(disk)]
            )
            known.write_text(str(base))

    def _plug(self) -> None:
        """A cable to the site's first bridge."""
        network = Network(self.site.lab, self.site.world.bridges)
        bridge, wire = network.lay(self.site.world.bridges[0].name), self._wire
        succeeds("ip", "link", "delete", wire)
        ip_batch(
            [
                f"tuntap add dev {wire} mode tap",
                f'link set {wire} alias "qemu {self.site.lab.mark}"',
                f"link set {wire} master {bridge}",
                f"link set {wire} up",
            ]
        )

    def _command(self, built: Path) -> list[str]:
        mac = f"52:54:00:C1:00:{HOST:02X}"
        return [
            *(str(ensure(_QEMU)), "-name", f"hypercompose-{self.site.lab.site}", *_machine()),
            *("-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none"),
            *("-kernel", str(built / KERNEL), "-initrd", str(self.folder / "initramfs"), "-append", _KERNEL_WORDS),
            *("-drive", f"file={self.folder / 'disk.qcow2'},if=virtio,cache=unsafe"),
            *("-netdev", f"tap,id=net,ifname={self._wire},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=net,mac={mac},romfile=", "-device", "virtio-rng-pci"),
            *("-serial", f"file:{self.folder / 'console'}", "-pidfile", str(pid_file(self.site.lab))),
        ]

    def _identity(self, host_key: tuple[bytes, bytes]) -> Identity:
        bridge = self.site.world.bridges[0]
        return Identity(
            interface=f"{self.address}/{gateway_interface(bridge).partition('/')[2]}",
            gateway=bridge.gateway,
            domain=self.site.domain,
            host_key=host_key,
            user_key=(self.site.directory / "ssh" / "id_ed25519.pub").read_bytes(),
        )

    def _host_key(self) -> tuple[bytes, bytes]:
        """Private and public half, made once for a lab."""
        file = self.folder / "host_ed25519"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            private, public = openssh_pair(ed25519.Ed25519PrivateKey.generate())
            file.with_suffix(".pub").write_bytes(public)
            write_private(file, private)
        return file.read_bytes(), file.with_suffix(".pub").read_bytes()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until its SSH server greets."""
        deadline = time.monotonic() + BOOT_S
        while not greets(self.address):
            if process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "qemu.log").read_text(errors="replace").strip().splitlines()
                raise SetupError(
                    f"qemu guest: did not boot; {self.folder / 'console'} may say why. {' '.join(said[-1:])}"
                )
            time.sleep(0.2)

    @property
    def _wire(self) -> str:
        return self.site.lab.wire(HOST, 0)


def folder_of(lab: Lab) -> Path:
    """Where a lab keeps what its guest has."""
    return lab.directory / "qemu"


def pid_file(lab: Lab) -> Path:
    """Names the guest's process, in its command line as well."""
    return folder_of(lab) / "qemu.pid"


def process_of(lab: Lab) -> int | None:
    """Process id of a lab's guest; None when it is off."""
    return process_with("-pidfile", str(pid_file(lab)))


def down(lab: Lab) -> None:
    """Pull the plug; what was written stays on its disk."""
    if (pid := process_of(lab)) is not None:
        end(pid, 5)
    succeeds("ip", "link", "delete", lab.wire(HOST, 0))


def greets(address: str) -> bool:
    """Whether an SSH server answers there."""
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(8).startswith(b"SSH-2.0")
    except OSError:
        return False


def _machine() -> tuple[str, ...]:
    """All in software, as any machine can: two processors, each with a thread of its own."""
    return ("-machine", "q35", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max", "-smp", "2")
