"""The options of a VM's configuration: which there are, their types, and the privilege each change needs."""

from __future__ import annotations

import re

from lab.pve.drives import SLOT
from lab.pve.errors import invalid_option
from lab.pve.params import boolean, integer
from lab.pve.properties import nic_text, tags_text
from lab.pve.state import Value

_CPU = "cores cpu cpulimit cpuunits numa sockets vcpus affinity"
_MEMORY = "memory balloon shares hugepages keephugepages allow-ksm"
CLOUDINIT = "cicustom cipassword citype ciupgrade ciuser nameserver searchdomain sshkeys".split()
_HARDWARE = "acpi hotplug kvm machine scsihw smbios1 tablet vga watchdog audio0 rng0 vmgenid"
_GENERAL = (
    "agent autostart bios description keyboard localtime migrate_downtime migrate_speed name onboot ostype"
    " protection reboot startdate startup tdf template freeze tags hookscript"
)
_BOOT = "boot bootdisk"
PRIVILEGES = {
    **dict.fromkeys(_CPU.split(), "VM.Config.CPU"),
    **dict.fromkeys(_MEMORY.split(), "VM.Config.Memory"),
    **dict.fromkeys(CLOUDINIT, "VM.Config.Cloudinit"),
    **dict.fromkeys(_HARDWARE.split(), "VM.Config.HWType"),
    **dict.fromkeys(_GENERAL.split(), "VM.Config.Options"),
    **dict.fromkeys(_BOOT.split(), "VM.Config.Disk"),
}
PATTERNS = {
    r"net\d+": "VM.Config.Network",
    r"ipconfig\d+": "VM.Config.Cloudinit",
    r"(serial|usb|numa|parallel|hostpci|virtiofs)\d+": "VM.Config.HWType",
    SLOT + r"|unused\d+": "VM.Config.Disk",
}
ROOT_ONLY = ("args", "lock")
IMMEDIATE = {
    *CLOUDINIT,
    "name",
    "description",
    "tags",
    "onboot",
    "protection",
    "startup",
    "hookscript",
    "shares",
}
"""Options that take effect on a running VM; others wait for the next power cycle."""
_MINIMA = {"cores": 1, "sockets": 1, "vcpus": 1, "balloon": 0, "shares": 0, "cpuunits": 1}
_BOOLEANS = (
    "acpi allow-ksm autostart ciupgrade freeze keephugepages kvm localtime numa onboot protection reboot tablet tdf"
    " template"
).split()
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
MIN_MEMORY_MIB = 16


def privilege(option: str) -> str:
    """The privilege a change of this option needs; 400 for an option that does not exist."""
    pattern = next((name for expression, name in PATTERNS.items() if re.fullmatch(expression, option)), None)
    found = PRIVILEGES.get(option, pattern)
    if found is None and option not in ROOT_ONLY:
        text = "property is not defined in schema and the schema does not allow additional properties"
        raise invalid_option(option, text)
    return found or "VM.Config.Options"


def cleaned(option: str, text: str) -> Value:
    """A value as Proxmox stores it: numbers as numbers, tags sorted, network devices with a MAC."""
    if option in _BOOLEANS:
        return int(boolean(option, text))
    if option in _MINIMA:
        return integer(option, text, _MINIMA[option])
    if option == "memory":
        integer(option, text.removeprefix("current="), MIN_MEMORY_MIB)
    elif option == "tags":
        return tags_text(text)
    elif option == "name" and not _NAME.fullmatch(text):
        raise invalid_option("name", "invalid format - value does not look like a valid DNS name\n")
    elif re.fullmatch(r"net\d+", option):
        return nic_text(option, text)
    return text
