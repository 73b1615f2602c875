"""The cloud-init image Proxmox generates from a VM's options, in its NoCloud form."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import yaml

from lab.pve.properties import matching, nic_options, parse, words
from lab.pve.state import Value


def nocloud_files(vmid: int, config: Mapping[str, Value]) -> dict[str, bytes]:
    """user-data, network-config, and meta-data whose instance id follows from the other two."""
    user, network = _user_data(vmid, config), _network_config(config)
    instance = hashlib.sha1(user + network, usedforsecurity=False).hexdigest()
    return {"user-data": user, "network-config": network, "meta-data": f"instance-id: {instance}\n".encode()}


def _user_data(vmid: int, config: Mapping[str, Value]) -> bytes:
    hostname = str(config.get("name") or f"VM{vmid}")
    data: dict[str, Any] = {"hostname": hostname.partition(".")[0], "manage_etc_hosts": True}
    domain = str(config.get("searchdomain", "")).partition(" ")[0]
    data["fqdn"] = hostname if "." in hostname or not domain else f"{hostname}.{domain}"
    if "ciuser" in config:
        data["user"] = config["ciuser"]
    if "cipassword" in config:
        data["password"] = config["cipassword"]
    if "sshkeys" in config:
        data["ssh_authorized_keys"] = unquote(str(config["sshkeys"])).strip().splitlines()
    data |= {"chpasswd": {"expire": False}, "users": ["default"], "package_upgrade": bool(config.get("ciupgrade", 1))}
    return b"#cloud-config\n" + yaml.safe_dump(data, sort_keys=False).encode()


def _network_config(config: Mapping[str, Value]) -> bytes:
    entries: list[dict[str, Any]] = []
    for option in matching(config, r"net(\d+)"):
        number, addresses = option.removeprefix("net"), parse(str(config.get(f"ipconfig{option[3:]}", "")), "")
        subnets = [*_subnets("4", addresses), *_subnets("6", addresses)]
        mac = nic_options(option, str(config[option]))["macaddr"].lower()
        entries.append({"type": "physical", "name": f"eth{number}", "mac_address": mac, "subnets": subnets})
    resolver: dict[str, Any] = {"type": "nameserver", "address": words(str(config.get("nameserver", "")))}
    resolver["search"] = words(str(config.get("searchdomain", "")))
    if resolver["address"] or resolver["search"]:
        entries.append({key: value for key, value in resolver.items() if value})
    return yaml.safe_dump({"version": 1, "config": entries}, sort_keys=False).encode()


def _subnets(family: str, addresses: Mapping[str, str]) -> list[dict[str, str]]:
    suffix = "6" if family == "6" else ""
    address, gateway = addresses.get(f"ip{suffix}"), addresses.get(f"gw{suffix}")
    if address is None:
        return []
    if address in ("dhcp", "auto"):
        return [{"type": "ipv6_slaac" if address == "auto" else f"dhcp{family}"}]
    subnet = _static(ipaddress.ip_interface(address), f"static{suffix}")
    return [subnet | ({"gateway": gateway} if gateway else {})]


def _static(interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface, kind: str) -> dict[str, str]:
    if interface.version == 6:
        return {"type": kind, "address": str(interface)}
    return {"type": kind, "address": str(interface.ip), "netmask": str(interface.netmask)}
