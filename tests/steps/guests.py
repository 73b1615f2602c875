"""A lab of its own with one guest a family, reached as the product reaches hosts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.hypervisor import Disk, Machine
from provisioning.host import Address, Result
from provisioning.hosts import AS_ROOT, Hosts
from provisioning.keys import key_loader
from provisioning.ssh import Ssh
from provisioning.steps.kinds import BY_NAME
from setup.exports import read_exports
from tests.lab_guests.fleet import Fleet, nic, static_v1
from tests.lab_guests.sites import TestLab
from tests.steps.cases import Case

REGISTRY, PACKAGES = "registry.test.internal:5000", "http://packages.test.internal:8081"
COMPANION = "app.test.internal"
SECTIONS = f"""
docker: {{versions: {{}}}}
registry: {{url: "https://{REGISTRY}", user: lab}}
"""
DISK = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"
IMAGES = {"dnf": "rocky-9", "apt": "debian-13"}


@dataclass(frozen=True)
class StepGuests:
    """Guests by family, and the hosts' side of the product."""

    hosts: Hosts
    ssh: Ssh
    addresses: Mapping[str, Address]
    key_file: Path
    wires: Mapping[str, str]
    """This machine's end of each guest's network cable."""
    folder: Path
    """The lab's own, with its keys and passwords."""

    @property
    def registry_password(self) -> str:
        """Of the registry's user `lab`."""
        return read_exports(self.folder / "credentials.env")["HYPERCOMPOSE_REGISTRY_PASSWORD"]

    @property
    def companion_password(self) -> str:
        """Of `svc-compose` on the lab's companion."""
        return read_exports(self.folder / "credentials.env")["HYPERCOMPOSE_COMPANION_PASSWORD"]

    def text(self, name: str) -> str:
        """A file of the lab's folder."""
        return (self.folder / name).read_text()

    def wire(self, family: str) -> str:
        """Its name."""
        return self.wires[family]

    def filled(self, case: Case) -> Case:
        """The case with the lab's files in place of `LAB:path`, its disk, its companion."""
        text = json.dumps(vars(case)).replace("LAB_DISK", DISK).replace("//step-companion/", f"//{COMPANION}/")
        text = text.replace('"LAB_PASSWORD"', json.dumps(self.companion_password))
        found = re.sub(r'"LAB:([^"]+)"', lambda name: json.dumps(self.text(name[1])), text)
        return Case(**json.loads(found))

    def shell(self, family: str, script: str) -> Result:
        """Run a script as root on a guest, as somebody else would."""
        return self.ssh.run(self.addresses[family], AS_ROOT, stdin=script.encode(), timeout_s=240)

    def must(self, family: str, script: str) -> str:
        """What a script printed that has to work."""
        done = self.shell(family, f"set -e\n{script}")
        assert done.exit_code == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def converged(self, family: str, kind: str, args: Mapping[str, Any]) -> Iterator[None]:
        """The step on a guest for the while."""
        step = BY_NAME[kind].step(f"test-{kind.lower()}", args)
        try:
            self.hosts.converge(self.addresses[family], step)
            yield
        finally:
            self.hosts.revert(self.addresses[family], step)


def boot_guests(lab: TestLab, first_vmid: int = 101, images: Mapping[str, str] | None = None) -> StepGuests:
    """Start one guest a family on the lab's first bridge, and wait until they accept SSH."""
    folder = lab.site.directory
    fleet = Fleet(
        guests=lab.guests(),
        user_key=folder / "ssh" / "id_ed25519",
        known_hosts=folder / "known_hosts",
        host_key=ed25519.Ed25519PrivateKey.generate(),
    )
    net, places, wires = f"{lab.net}.1", {}, {}
    started = []
    with ThreadPoolExecutor() as pool:
        for at, (name, image) in enumerate((images or IMAGES).items()):
            vmid = first_vmid + at
            address, device = f"{net}.{vmid - 90}", nic(vmid, 0, "red")
            seed = fleet.seed(name, static_v1({"eth0": (device, f"{address}/24", f"{net}.1")}))
            disk = Disk(slot="scsi1", file=folder / f"{name}.raw")
            with disk.file.open("wb") as opened:
                opened.truncate(32 << 20)
            machine = Machine(vmid=vmid, name=name, cores=2, memory_mib=1024, nics=(device,), disks=(disk,), seed=seed)
            started.append(pool.submit(fleet.boot, machine, image))
            wires[name] = lab.site.lab.wire(vmid, 0)
            places[name] = Address(host=address, user="ops", host_key=fleet.public_host_key())
    for one in started:
        one.result()
    ssh = Ssh(key_loader(Path(fleet.user_key).read_text()))
    for place in places.values():
        ssh.wait(place, 40)
        # As first contact does: in a later boot cloud-init would go on while the next test already works on the guest,
        # and sometimes hung then, with every later `systemctl start` behind it (measured).
        seeded = "sudo -n cloud-init status --wait >/dev/null; sudo -n touch /etc/cloud/cloud-init.disabled"
        ssh.run(place, f"sudo -n systemctl is-system-running --wait; {seeded}", timeout_s=40)
    return StepGuests(Hosts(ssh), ssh, places, fleet.user_key, wires, folder)
