"""What compose prints of a project: its images, its ports, its paths of the host."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.compose.model import Model, Port

EVERYWHERE = "0.0.0.0"  # noqa: S104  nothing listens


def model(service: dict[str, Any] | None = None, **rest: Any) -> Model:
    return Model({"services": {"web": {"image": "web:1", **(service or {})}}, **rest})


def ports(*entries: dict[str, Any]) -> list[Port]:
    return list(model({"ports": list(entries)}).ports())


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"target": 80, "published": "8080", "protocol": "tcp"}, [Port("tcp", "", 8080)]),
        ({"target": 80, "published": 8080}, [Port("tcp", "", 8080)]),
        ({"target": 53, "published": "53", "protocol": "udp"}, [Port("udp", "", 53)]),
        ({"target": 80, "published": "80", "host_ip": "127.0.0.1"}, [Port("tcp", "127.0.0.1", 80)]),
        ({"target": 80, "published": "80", "host_ip": "::1"}, [Port("tcp", "::1", 80)]),
        ({"published": "9000-9002"}, [Port("tcp", "", 9000), Port("tcp", "", 9001), Port("tcp", "", 9002)]),
        ({"target": 80}, []),
        ({"target": 80, "published": ""}, []),
        ({"target": 80, "published": "0"}, []),
        ({"target": 80, "published": None, "protocol": None, "host_ip": None}, []),
    ],
)
def test_published_ports_are_those_at_fixed_numbers(entry: dict[str, Any], found: list[Port]) -> None:
    assert ports(entry) == found


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (Port("tcp", "", 80), Port("tcp", "", 80), True),
        (Port("tcp", EVERYWHERE, 80), Port("tcp", "10.0.0.1", 80), True),
        (Port("tcp", "10.0.0.1", 80), Port("tcp", "::", 80), True),
        (Port("tcp", "*", 80), Port("tcp", "127.0.0.1", 80), True),
        (Port("tcp", "10.0.0.1", 80), Port("tcp", "10.0.0.2", 80), False),
        (Port("tcp", "", 80), Port("udp", "", 80), False),
        (Port("tcp", "", 80), Port("tcp", "", 81), False),
    ],
)
def test_ports_meet_where_both_cannot_be_had(one: Port, other: Port, meet: bool) -> None:
    assert one.meets(other) is meet
    assert other.meets(one) is meet


def test_a_port_is_shown_with_its_protocol() -> None:
    assert str(Port("udp", "127.0.0.1", 53)) == "53/udp"


def test_images_are_told_by_service_and_one_without_an_image_has_none() -> None:
    found = Model({"services": {"web": {"image": "web:1"}, "built": {"build": {"context": "."}}}})
    assert found.images == {"web": "web:1"}


@pytest.mark.parametrize("nothing", [{"scale": 0}, {"deploy": {"replicas": 0}}])
def test_a_service_scaled_to_nothing_needs_nothing(nothing: dict[str, Any]) -> None:
    found = model({**nothing, "ports": [{"published": "80"}], "volumes": [{"type": "bind", "source": "/etc"}]})
    assert (found.images, list(found.ports()), list(found.host_paths())) == ({}, [], [])


@pytest.mark.parametrize("some", [{"scale": 2}, {"scale": None}, {"deploy": {"replicas": 1}}, {"deploy": None}])
def test_every_other_service_is_to_run(some: dict[str, Any]) -> None:
    assert model(some).images == {"web": "web:1"}


def test_an_empty_project_has_nothing() -> None:
    found = Model({"services": None, "volumes": None, "secrets": None})
    assert (found.images, list(found.ports()), list(found.host_paths())) == ({}, [], [])


def test_bind_mounts_are_paths_of_the_host_and_named_volumes_are_not() -> None:
    volumes = [{"type": "bind", "source": "/etc"}, {"type": "volume", "source": "data"}, {"type": "tmpfs"}]
    assert list(model({"volumes": volumes}).host_paths()) == [("services.web.volumes", "/etc")]


def test_devices_are_paths_of_the_host() -> None:
    devices = [{"source": "/dev/kvm", "target": "/dev/kvm"}, "/dev/fuse"]
    where = "services.web.devices"
    assert list(model({"devices": devices}).host_paths()) == [(where, "/dev/kvm"), (where, "/dev/fuse")]


def test_files_of_secrets_and_configs_are_paths_of_the_host() -> None:
    secrets = {"key": {"file": "/srv/key"}, "outside": {"external": True}, "variable": {"environment": "KEY"}}
    found = model(secrets=secrets, configs={"site": {"file": "/srv/site"}, "text": {"content": "x"}})
    assert list(found.host_paths()) == [("secrets.key.file", "/srv/key"), ("configs.site.file", "/srv/site")]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"type": "none", "o": "bind", "device": "/srv/data"}, "/srv/data"),
        ({"o": "ro,bind", "device": "data"}, "data"),
        ({"type": "ext4", "device": "/dev/sdb1"}, "/dev/sdb1"),
        ({"o": "rbind", "device": "/etc"}, "/etc"),
        ({"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/export"}, None),
        ({"type": "tmpfs", "device": "tmpfs", "o": "size=10m"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_local_volume_that_stands_for_a_path_is_one(options: dict[str, str] | None, path: str | None) -> None:
    found = list(model(volumes={"data": {"driver_opts": options}, "plain": None}).host_paths())
    assert found == ([("volumes.data.driver_opts.device", path)] if path else [])


@pytest.mark.parametrize("options", [{"type": "none", "o": "rbind", "device": "//etc"}, {"device": "//dev/sdb1"}])
def test_two_slashes_do_not_make_a_path_of_the_host_a_server(options: dict[str, str]) -> None:
    assert list(model(volumes={"data": {"driver_opts": options}}).host_paths())


def test_a_windows_share_as_a_volume_is_no_path_of_the_host() -> None:
    options = {"type": "cifs", "device": "//fileserver/share", "o": "addr=fileserver,username=u"}
    assert list(model(volumes={"data": {"driver_opts": options}}).host_paths()) == []
