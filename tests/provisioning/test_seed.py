"""The NoCloud seed."""

import io
from typing import Any

import paramiko
import pycdlib
import pytest
import yaml

from provisioning.seed import Seed, SeedNic, iso_image, network_config, one_time_host_key, seed_files

HOSTILE = "$(reboot)'\"\\\n\u00fc: {x}"


def seed(**change: Any) -> Seed:
    values: dict[str, Any] = {
        "instance_id": "1100-ab",
        "name": "vm-1",
        "domain": "lab.internal",
        "user": "ops",
        "authorized_keys": ("ssh-ed25519 AAAA me",),
        "nics": (SeedNic(mac="BC:24:11:00:00:01", address="10.77.0.11/24", gateway="10.77.0.1"),),
        "dns": ("10.77.0.1",),
    }
    return Seed(**{**values, **change})


def files_of(image: bytes) -> dict[str, bytes]:
    iso = pycdlib.PyCdlib()
    iso.open_fp(io.BytesIO(image))
    found = {}
    for name in ("user-data", "meta-data", "network-config"):
        out = io.BytesIO()
        iso.get_file_from_iso_fp(out, joliet_path=f"/{name}")
        found[name] = out.getvalue()
        rock_ridge = io.BytesIO()
        iso.get_file_from_iso_fp(rock_ridge, rr_path=f"/{name}")
        assert rock_ridge.getvalue() == found[name]
    return found


def test_the_disc_carries_the_label_and_the_files_that_cloud_init_looks_for() -> None:
    files = seed_files(seed(), one_time_host_key())
    image = iso_image(files)
    assert image[0x8000 + 40 : 0x8000 + 46] == b"cidata"
    assert files_of(image) == files


def test_the_host_key_on_the_disc_is_the_pair_of_the_pinned_one() -> None:
    key = one_time_host_key()
    data = yaml.safe_load(seed_files(seed(), key)["user-data"])
    private = paramiko.ECDSAKey.from_private_key(io.StringIO(data["ssh_keys"]["ecdsa_private"]))
    assert f"{private.get_name()} {private.get_base64()}" == key.public == data["ssh_keys"]["ecdsa_public"]
    assert data["ssh_deletekeys"] is True


def test_two_keys_are_never_the_same() -> None:
    assert one_time_host_key().private != one_time_host_key().private


def test_user_data_opens_no_password_login_and_no_root() -> None:
    data = yaml.safe_load(seed_files(seed(), one_time_host_key())["user-data"])
    assert (data["ssh_pwauth"], data["disable_root"], data["users"][0]["lock_passwd"]) == (False, True, True)
    assert data["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 AAAA me"]


def test_static_and_dhcp_devices_are_told_apart_by_mac() -> None:
    nics = (*seed().nics, SeedNic(mac="BC:24:11:00:00:02", address=None, gateway=None))
    config = network_config(seed(nics=nics))["config"]
    assert config[0]["mac_address"] == "bc:24:11:00:00:01"
    assert config[0]["subnets"] == [{"type": "static", "address": "10.77.0.11/24", "gateway": "10.77.0.1"}]
    assert config[1]["subnets"] == [{"type": "dhcp4"}]
    assert config[2] == {"type": "nameserver", "address": ["10.77.0.1"], "search": ["lab.internal"]}


@pytest.mark.parametrize("field", ["name", "domain", "user"])
def test_hostile_values_stay_values(field: str) -> None:
    files = seed_files(seed(**{field: HOSTILE, "authorized_keys": (HOSTILE,)}), one_time_host_key())
    data = yaml.safe_load(files["user-data"])
    assert data["users"][0]["ssh_authorized_keys"] == [HOSTILE]
    assert HOSTILE in (data["hostname"], data["users"][0]["name"], data["fqdn"].partition(".")[2])
    assert files["user-data"].startswith(b"#cloud-config\n")
