"""Proxmox's property strings (`virtio=MAC,bridge=vmbr0`), sizes, tags and MAC addresses."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping

from lab.pve.errors import invalid, invalid_option

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"(\+?)(\d+(?:\.\d+)?)([KMGT]?)")
_MODELS = ("virtio", "e1000", "e1000e", "rtl8139", "vmxnet3")
_NIC_OPTIONS = ("bridge", "firewall", "link_down", "mtu", "queues", "rate", "tag", "trunks")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")


def parse(text: str, default_key: str = "file") -> dict[str, str]:
    """Split at commas; the one value without `=` belongs to the default key. Trailing commas are allowed."""
    pairs = (part.partition("=") for part in text.split(",") if part)
    return {(key if eq else default_key): (value if eq else key) for key, eq, value in pairs}


def render(head: str, options: Mapping[str, str]) -> str:
    """`head,a=1,b=2`, options sorted by name as Proxmox writes them."""
    return ",".join([head, *(f"{key}={options[key]}" for key in sorted(options))])


def size_in_bytes(text: str) -> tuple[bool, int]:
    """`+5G` -> (True, 5368709120): whether the size is relative, and its bytes."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise invalid(size="value does not match the regex pattern")
    return bool(match[1]), int(float(match[2]) * UNITS[match[3]])


def size_text(size: int) -> str:
    """Bytes in the largest unit that divides them: 3758096384 -> `3584M`."""
    for unit in ("T", "G", "M", "K"):
        if size >= UNITS[unit] and size % UNITS[unit] == 0:
            return f"{size // UNITS[unit]}{unit}"
    return str(size)


def tags_text(text: str) -> str:
    """Lower case, sorted, each once, joined by semicolons."""
    return ";".join(sorted({tag for tag in re.split(r"[,;\s]+", text.lower()) if tag}))


def words(text: str) -> list[str]:
    """A Proxmox list parameter: separated by commas, semicolons or white space."""
    return [word for word in re.split(r"[,;\s]+", text) if word]


def new_mac() -> str:
    """A random address with Proxmox's own prefix."""
    return "BC:24:11:" + ":".join(f"{octet:02X}" for octet in secrets.token_bytes(3))


def nic_options(option: str, text: str) -> dict[str, str]:
    """A network device as `{model, macaddr, bridge, ...}`; 400 when the text is none."""
    parsed = parse(text, "model")
    for model in _MODELS:
        if model in parsed:
            parsed |= {"model": model, "macaddr": parsed.pop(model)}
    unknown = sorted(set(parsed) - {"model", "macaddr", *_NIC_OPTIONS})
    if unknown or parsed.get("model") not in _MODELS:
        problem = f"{unknown[0]}: property is not defined in schema" if unknown else "model: unknown network model"
        raise invalid_option(option, f"invalid format - format error\n{problem}\n")
    if "macaddr" in parsed and not _MAC.fullmatch(parsed["macaddr"]):
        raise invalid_option(option, "invalid format - format error\nmacaddr: value does not look like a MAC address\n")
    return parsed


def nic_text(option: str, text: str) -> str:
    """A network device as Proxmox stores it: `virtio=MAC,bridge=...`; a new MAC when none is given."""
    options = nic_options(option, text)
    mac = options.pop("macaddr", "") or new_mac()
    return render(f"{options.pop('model')}={mac.upper()}", options)


def matching(names: Iterable[str], pattern: str) -> list[str]:
    """Names such as `net0`, `net10` that match, in order of their number."""
    found = [(name, match) for name in names if (match := re.fullmatch(pattern, name))]
    return [name for name, match in sorted(found, key=lambda item: int(item[1][1]))]
