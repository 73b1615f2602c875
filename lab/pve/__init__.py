"""A Proxmox VE API for the lab: the real provider talks to it, and its VMs are guests of the hypervisor below."""

from lab.pve.app import make_app
from lab.pve.credentials import load_credentials

__all__ = ["load_credentials", "make_app"]
