"""What `python -m lab` does: up, status, down, purge."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import docker
import requests

from lab import dockerd
from lab.companion import place, power
from lab.guests import Guests
from lab.images.build import ensure_images
from lab.keys import ensure_ssh_key, ensure_tls, write_private
from lab.leftovers import clear_abandoned, refuse_second_lab, remove_network, remove_objects
from lab.machine import ensure_host_tools
from lab.network import Network
from lab.processes import end, holder_of_port, supervisor_command, supervisor_of
from lab.pve.credentials import load_credentials
from lab.services import running
from lab.site import Site
from setup.places import CHECKOUT
from setup.report import SetupError, say, work

TOKEN = "hypercompose@pve!lab"  # noqa: S105 - its name, with no more rights than docs/sites.md asks for
API_START_S = 120.0
GUEST_STOP_S = 30.0


def up(site: Site, images: Collection[str] = ()) -> None:
    """Everything of the site runs and the API answers; what runs already is left alone.

    `images`: keys of images/ that the registry has to have, beside those that settings of stacks ask for.
    """
    ensure_host_tools()
    with dockerd.in_use() as client:
        _bring_up(site, client, images)
    say(f"lab {site.lab.site}: Proxmox API at {site.endpoint}, token and keys in {site.directory}")


def _bring_up(site: Site, client: docker.DockerClient, images: Collection[str]) -> None:
    clear_abandoned(client)
    refuse_second_lab(client, site.lab)
    if site.claim_folder():
        remove_objects(client, site.lab)  # of a lab whose folder was deleted by hand
    ensure_images(client)
    running.prepare(site, client, images)
    power.prepare(site, client)
    _make_keys(site)
    if not (answers(site) and running.answer(site)):
        _start_supervisor(site)


def down(site: Site) -> None:
    """Power the site off: guests, API, bridges, rules, block devices. Disks and configuration stay."""
    _stop_supervisor(site)
    client = dockerd.find()
    if client is not None:
        with work(f"lab {site.lab.site}: shutting guests down"):
            Guests(site.lab, client, {}, Network(site.lab, ())).power_site_off(GUEST_STOP_S)
            power.turn_off(site, client)
    remove_network(site.lab)
    dockerd.stop_when_idle()


def purge(site: Site) -> None:
    """Delete everything of this lab; guest images stay in the engine's store for the next one."""
    _stop_supervisor(site)
    client = dockerd.connect() if site.directory.exists() else dockerd.find()
    if client is not None:
        with work(f"lab {site.lab.site}: deleting guests and their disks"):
            remove_objects(client, site.lab)
    remove_network(site.lab)
    if site.marker.exists():
        shutil.rmtree(site.directory)
    dockerd.stop_when_idle()


def _make_keys(site: Site) -> None:
    """Keys, certificates and the token; the file that a shell reads to use them."""
    folder = site.directory
    ensure_tls(folder / "tls", {"server": (site.world.host,), **site.services.certificates})
    ensure_ssh_key(folder / "ssh" / "id_ed25519")
    lines = {
        "PROXMOX_VE_API_TOKEN": f"{TOKEN}={_token_secret(site)}",
        "SSL_CERT_FILE": str(folder / "tls" / "bundle.crt"),
        "HYPERCOMPOSE_SSH_KEY_FILE": str(folder / "ssh" / "id_ed25519"),
        **running.credentials(site),
        **place.credentials(site),
    }
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in lines.items())
    write_private(folder / "credentials.env", text.encode())


def _token_secret(site: Site) -> str:
    known = load_credentials(site.world, site.api_folder)
    if TOKEN not in known:
        raise SetupError(f"lab/world.yaml: tokens: expected one named {TOKEN}, which the lab's user has.")
    return known[TOKEN]


def answers(site: Site) -> bool:
    """Whether this lab's API answers with our certificate and takes our token."""
    if not supervisor_of(site.directory):
        return False
    header = {"Authorization": f"PVEAPIToken={TOKEN}={_token_secret(site)}"}
    session = requests.Session()
    session.trust_env = False
    try:
        ca = str(site.directory / "tls" / "ca.crt")
        return session.get(f"{site.endpoint}/api2/json/version", headers=header, verify=ca, timeout=5).ok
    except (requests.RequestException, OSError):
        return False


def _start_supervisor(site: Site) -> None:
    """Start the supervisor in a session of its own and wait until its API answers."""
    _stop_supervisor(site)
    if holder := holder_of_port(site.world.port):
        raise SetupError(f"port {site.world.port}: {holder} listens there; stop it, or change the site's endpoint.")
    running.refuse_taken_ports(site)
    Network(site.lab, site.world.bridges).refuse_foreign_addresses()
    log = site.directory / "supervisor.log"
    with work(f"lab {site.lab.site}: starting the site"), log.open("wb") as output:
        process = subprocess.Popen(
            supervisor_command(site.file, site.directory),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        deadline = time.monotonic() + API_START_S
        while not (answers(site) and running.answer(site)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SetupError(f"lab {site.lab.site}: the supervisor did not come up; {log} says why: {_end_of(log)}")
            time.sleep(0.1)


def _stop_supervisor(site: Site) -> None:
    if (pid := supervisor_of(site.directory)) is not None:
        end(pid, 20)


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing"
