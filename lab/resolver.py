"""DHCP and DNS on the lab's bridges by dnsmasq: hands out each network's upper half, knows VMs, asks nobody."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lab.identity import Lab
from lab.world import Bridge


class Resolver:
    """One dnsmasq process, a child of the supervisor; a leftover of a killed supervisor is replaced."""

    def __init__(
        self, lab: Lab, bridges: Sequence[Bridge], domain: str, services: Mapping[str, str] | None = None
    ) -> None:
        """Serves `bridges`; names of VMs and of `services`, each with its address, end in `domain`."""
        self._lab = lab
        self._bridges = bridges
        self._domain = domain
        self._services = services or {}
        self._folder = lab.directory / "dns"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start dnsmasq with the networks as they are now."""
        self.end_leftover()
        self._names.mkdir(parents=True, exist_ok=True)
        config = self._folder / "dnsmasq.conf"
        config.write_text("\n".join(self.configuration()) + "\n")
        with (self._folder / "dnsmasq.log").open("ab") as log:
            command = ["dnsmasq", "--keep-in-foreground", f"--conf-file={config}"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self) -> None:
        """End the process this object started."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=5)
            self._process = None

    def publish(self, name: str, vmid: int, addresses: Iterable[str]) -> None:
        """Answer the VM's name with these addresses (CIDR notation), whatever it had before."""
        known = [str(ipaddress.ip_interface(address).ip) for address in addresses]
        text = "".join(f"{address} {name}.{self._domain} {name}\n" for address in known)
        entry = self._names / str(vmid)
        if not entry.exists() or entry.read_text() != text:
            entry.write_text(text)
            self._reread()

    def forget(self, vmid: int) -> None:
        """Stop answering for a VM that is gone."""
        with suppress(FileNotFoundError):
            (self._names / str(vmid)).unlink()
            self._reread()

    def configuration(self) -> list[str]:
        """Lines of dnsmasq.conf."""
        return [
            f"interface={self._lab.bridge_prefix}*",
            "except-interface=lo",
            "bind-dynamic",
            "no-resolv",
            "no-hosts",
            "no-ping",
            "user=root",
            "dhcp-authoritative",
            f"domain={self._domain}",
            f"local=/{self._domain}/",
            "address=/#/",  # a name nobody here knows does not exist; waiting for an answer would stall a guest
            f"addn-hosts={self._names}",
            f"pid-file={self._pid_file}",
            f"dhcp-leasefile={self._folder / 'leases'}",
            *(f"host-record={name}.{self._domain},{name},{address}" for name, address in self._services.items()),
            *(line for bridge in self._bridges for line in _ranges(bridge)),
        ]

    def end_leftover(self) -> None:
        """End a dnsmasq of this lab whose supervisor died."""
        if (pid := self.running_pid()) is not None:
            os.kill(pid, signal.SIGKILL)

    def running_pid(self) -> int | None:
        """Process id of this lab's dnsmasq, checked against what the process says it is."""
        with suppress(OSError, ValueError):
            pid = int(self._pid_file.read_text())
            if f"--conf-file={self._folder / 'dnsmasq.conf'}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    def _reread(self) -> None:
        """SIGHUP makes dnsmasq read its host files again."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)

    @property
    def _names(self) -> Path:
        return self._folder / "names"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "dnsmasq.pid"


def dhcp_range(cidr: str) -> tuple[str, str]:
    """First and last address of the upper half, without the broadcast address."""
    network = ipaddress.ip_network(cidr)
    return str(network[network.num_addresses // 2]), str(network[-2])


def _ranges(bridge: Bridge) -> list[str]:
    first, last = dhcp_range(bridge.cidr)
    mask = ipaddress.ip_network(bridge.cidr).netmask
    return [
        f"dhcp-range=set:{bridge.name},{first},{last},{mask},12h",
        f"dhcp-option=tag:{bridge.name},option:router,{bridge.gateway}",
        f"dhcp-option=tag:{bridge.name},option:dns-server,{','.join(bridge.dns or (bridge.gateway,))}",
    ]
