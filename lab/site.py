"""Which lab is meant: its site file, its folder, and what the two say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.identity import Lab
from lab.services.declared import Services, declared
from lab.world import World, load_world
from setup.places import CHECKOUT
from setup.report import SetupError

SITES_VARIABLE = "HYPERCOMPOSE_SITES"
DIR_VARIABLE = "LAB_DIR"
MARKER = "lab-of-this-folder"


@dataclass(frozen=True)
class Site:
    """A lab's site, read and checked."""

    file: Path
    world: World
    domain: str
    lab: Lab
    services: Services

    @property
    def directory(self) -> Path:
        """Folder with all state of the lab."""
        return self.lab.directory

    @property
    def endpoint(self) -> str:
        """URL of the Proxmox API."""
        return f"https://{self.world.host}:{self.world.port}"

    @property
    def api_folder(self) -> Path:
        """Where the Proxmox API keeps its state."""
        return self.directory / "proxmox"

    @property
    def marker(self) -> Path:
        """File that says that this folder is a lab's and nobody else's: without it nothing is purged."""
        return self.directory / MARKER

    def claim_folder(self) -> bool:
        """Make the folder and mark it; False when it was a lab's already. SetupError when it holds other things."""
        if self.marker.exists():
            if (owner := self.marker.read_text().strip()) != self.lab.site:
                raise SetupError(f"{self.directory}: holds the lab of site {owner}; give --dir another folder.")
            return False
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        self.marker.write_text(f"{self.lab.site}\n")
        return True


def load_site(file: Path | None = None, directory: Path | None = None) -> Site:
    """The site that the command line or the environment names, else `sites/lab.yaml` with `.lab` of the checkout."""
    sites = Path(os.environ.get(SITES_VARIABLE) or CHECKOUT / "sites")
    chosen = (file or sites / "lab.yaml").absolute()
    if not chosen.is_file():
        raise SetupError(f"{chosen}: there is no such site file; name one with --site.")
    world = load_world(chosen, CHECKOUT)
    folder = (directory or Path(os.environ.get(DIR_VARIABLE) or CHECKOUT / ".lab")).absolute()
    content = yaml.safe_load(chosen.read_text()) or {}
    domain = str(content.get("domain", f"{world.id}.internal"))
    services = declared(content, world.bridges[0].gateway, domain)
    return Site(chosen, world, domain, Lab(world.id, folder), services)
