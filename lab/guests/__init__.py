"""Guests that behave like VMs: systemd containers with cables, disks and cloud-init seeds plugged in from outside."""

from lab.guests.hypervisor import Guests

__all__ = ["Guests"]
