"""Labs for tests: own site id, own port, own networks, own folder, gone at the end."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lab import dockerd
from lab.__main__ import main
from lab.guests import Guests
from lab.images.build import ensure_images
from lab.network import Network
from lab.processes import free_port
from lab.site import Site, load_site

_SITE = """
id: {id}
state: {{backend: "file://{folder}/lab/state", passphrase: lab}}
credentials: {folder}/lab/credentials.env
proxmox:
  endpoint: https://127.0.0.1:{port}
  ca: {folder}/lab/tls/ca.crt
  nodes: [pve1]
  storages: {{disks: local-lvm, iso: local}}
  templates: {{rocky-9: {{pve1: 9000}}}}
  bridges:
    red: {{cidr: {net}.1.0/24, gateway: {net}.1.1, dns: [{net}.1.1]}}
    blue: {{cidr: {net}.2.0/24, gateway: {net}.2.1, dns: [{net}.2.1]}}
ssh: {{user: ops, public_keys: {folder}/lab/ssh/id_ed25519.pub}}
domain: test.internal
"""


class Said(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class TestLab:
    """A lab that tests drive through its commands, as a person would."""

    __test__ = False

    site: Site
    net: str

    def command(self, name: str, *options: str, check: bool = True) -> Said:
        """Run `python -m lab NAME` for this lab."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main([name, *options, f"--site={self.site.file}", f"--dir={self.site.directory}"])
        assert code == 0 or not check, err.getvalue()
        return Said(code, out.getvalue(), err.getvalue())

    def guests(self) -> Guests:
        """The lab's hypervisor, from outside the supervisor."""
        client = dockerd.connect()
        return Guests(self.site.lab, client, ensure_images(client), Network(self.site.lab, self.site.world.bridges))


def make_lab(folder: Path, site_id: str, net: str, port: int | None = None, sections: str = "") -> TestLab:
    """Write the site file of a lab with two bridges below `net` (`10.99`) and more `sections`; nothing is started."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "site.yaml"
    file.write_text(_SITE.format(id=site_id, folder=folder, port=port or free_port(), net=net) + sections)
    return TestLab(load_site(file, folder / "lab"), net)


def may_run_guests() -> bool:
    """Guests need root."""
    return os.geteuid() == 0
