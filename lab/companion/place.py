"""Where one companion is: its address and names, and its folder in the lab's state."""

from __future__ import annotations

import ipaddress
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.companion.disk import write_files
from lab.companion.samba import ADMINISTRATOR, DOMAIN, USER, configuration
from lab.keys import openssh_pair, write_private
from lab.network import gateway_interface
from lab.site import Site
from lab.world import Companion
from setup.report import SetupError

ANSWERS = Path(__file__).parent / "powershell" / "answers.yaml"
VARIABLES = {USER: "HYPERCOMPOSE_COMPANION_PASSWORD", ADMINISTRATOR: "HYPERCOMPOSE_COMPANION_ADMINISTRATOR_PASSWORD"}
_AWKWARD = "p,a ss'w\"$(rd)é\\="
"""What passwords start with: every character that some file, shell or option list takes for its own."""


@dataclass(frozen=True)
class Place:
    """One companion of one lab."""

    site: Site
    companion: Companion

    @property
    def name(self) -> str:
        """Its name in DNS, without the domain."""
        return self.companion.name

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return str(ipaddress.ip_network(self.site.world.bridges[0].cidr)[self.companion.host])

    @property
    def interface(self) -> str:
        """The address with the length of the network's prefix."""
        return f"{self.address}/{gateway_interface(self.site.world.bridges[0]).partition('/')[2]}"

    @property
    def folder(self) -> Path:
        """What it has of its own; its container sees it as /companion."""
        return self.site.directory / "companions" / self.name

    @property
    def files(self) -> Path:
        """What its shares show."""
        return self.folder / "files"

    @property
    def calls(self) -> Path:
        """Each call of PowerShell as a line of JSON."""
        return self.folder / "calls" / "log"

    @property
    def host_key(self) -> str:
        """The key that its SSH server has, as known_hosts spells it."""
        file = self.folder / "ssh" / "host_ed25519.pub"
        if not file.exists():
            raise SetupError(f"companion {self.name}: was never started; run `python -m lab up`.")
        return file.read_text().strip()

    def prepare(self) -> None:
        """Everything that its container reads is there; what a lab keeps is made once."""
        for part in ("passwords", "ssh", "calls"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self._ensure_host_key()
        (self.folder / "ssh" / "authorized_keys").write_text(self._user_key())
        (self.folder / "smb.conf").write_text(configuration(self.name, self.companion.shares))
        # without its own name in here, smbd asks who it is at each connection
        hosts = f"127.0.0.1 localhost\n{self.address} {self.name}.{self.site.domain} {self.name.upper()}\n"
        (self.folder / "hosts").write_text(hosts)
        (self.folder / "resolv.conf").write_text(f"nameserver {self.site.world.bridges[0].gateway}\n")
        (self.folder / "known-commands").write_text(json.dumps(yaml.safe_load(ANSWERS.read_text())))
        self.calls.touch()
        if not self.files.exists():
            self.reset()

    def reset(self) -> None:
        """The files are those of the beginning."""
        write_files(self.files, {"ADDRESS": self.address, "DOMAIN": self.site.domain})

    def password(self, user: str) -> str:
        """A user's password, made once for a lab."""
        file = self.folder / "passwords" / user
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_private(file, f"{_AWKWARD}{secrets.token_urlsafe(9)}".encode())
        return file.read_text()

    def described(self) -> dict[str, Any]:
        """What a settings file or a test needs to know; no secrets."""
        return {
            "name": self.name,
            "host": f"{self.name}.{self.site.domain}",
            "address": self.address,
            "shares": list(self.companion.shares),
            "domain": DOMAIN,
            "user": USER,
            "files": str(self.files),
            "calls": str(self.calls),
            "host_key": self.host_key,
        }

    def _ensure_host_key(self) -> None:
        file = self.folder / "ssh" / "host_ed25519"
        if not file.exists():
            private, public = openssh_pair(ed25519.Ed25519PrivateKey.generate())
            file.with_suffix(".pub").write_bytes(public + b"\n")
            write_private(file, private)

    def _user_key(self) -> str:
        return (self.site.directory / "ssh" / "id_ed25519.pub").read_text()


def places(site: Site) -> list[Place]:
    """The companions of a site."""
    return [Place(site, companion) for companion in site.world.companions]


def place_of(site: Site, name: str) -> Place:
    """The companion of this name; SetupError when there is none."""
    found = {place.name: place for place in places(site)}
    if name not in found:
        raise SetupError(f"companion {name}: lab/world.yaml has none of this name, only {', '.join(found) or 'none'}.")
    return found[name]


def credentials(site: Site) -> dict[str, str]:
    """Passwords by variable; those of the first companion, where a site has several."""
    return {VARIABLES[user]: place.password(user) for place in places(site)[:1] for user in VARIABLES}
