"""Importing a cloud image as a template."""

import dataclasses
from typing import Any

import pytest

from delivery.template import Image, import_template
from provisioning.errors import ProvisioningError

IMAGE = Image(
    url="https://example.invalid/images/Rocky-9 GenericCloud.qcow2?x=$(reboot)",
    checksum="AB" * 32,
    vm_id=9100,
    name="rocky-9",
    node="pve1",
    disks="local-lvm",
    downloads="local",
)


class FakeApi:
    """A node with storages; remembers what it was told to do."""

    def __init__(self, *vms: dict[str, Any], volumes: tuple[str, ...] = ()) -> None:
        self.vms, self.volumes = vms, volumes
        self.writes: list[tuple[str, Any]] = []

    def get(self, path: str, /, **query: Any) -> Any:
        return self.vms if path == "/cluster/resources" else [{"volid": v} for v in self.volumes]

    def post(self, path: str, form: Any = None) -> str:
        self.writes.append((path, form))
        return "UPID"

    def wait(self, node: str, upid: str, deadline_s: float = 0) -> None:
        pass


def done(api: FakeApi, **change: Any) -> list[str]:
    return list(import_template(api, dataclasses.replace(IMAGE, **change)))  # type: ignore[arg-type]


def test_the_node_downloads_checks_imports_and_makes_the_template() -> None:
    api = FakeApi()
    assert "ready on pve1" in done(api)[-1]
    assert [path.rpartition("/")[2] for path, _ in api.writes] == ["download-url", "qemu", "template"]
    download = api.writes[0][1]
    assert (download["checksum"], download["checksum-algorithm"]) == ("ab" * 32, "sha256")
    assert download["filename"] == "Rocky-9-GenericCloud.qcow2"
    assert api.writes[1][1]["scsi0"] == "local-lvm:0,import-from=local:import/Rocky-9-GenericCloud.qcow2"


def test_an_image_that_is_there_is_not_downloaded_again() -> None:
    api = FakeApi(volumes=("local:import/Rocky-9-GenericCloud.qcow2",))
    done(api)
    assert [path.rpartition("/")[2] for path, _ in api.writes] == ["qemu", "template"]


def test_a_template_that_is_there_is_left_as_it_is() -> None:
    api = FakeApi({"vmid": 9100, "node": "pve1", "name": "rocky-9", "template": 1})
    assert done(api) == ["template 9100 (rocky-9) is there already"]
    assert api.writes == []


@pytest.mark.parametrize("vm", [{"name": "shop"}, {"name": "rocky-9"}, {"name": "shop", "template": 1}])
def test_a_taken_id_is_refused_before_anything_is_done(vm: dict[str, Any]) -> None:
    api = FakeApi({"vmid": 9100, "node": "pve2", **vm})
    with pytest.raises(ProvisioningError, match=r"9100 is taken by .* left alone"):
        done(api)
    assert api.writes == []


@pytest.mark.parametrize("checksum", ["", "xyz", "g" * 64, "ab" * 31, "sha256:" + "ab" * 32])
def test_what_is_no_checksum_is_refused(checksum: str) -> None:
    with pytest.raises(ProvisioningError, match=r"checksum: .*expected hexadecimal"):
        done(FakeApi(), checksum=checksum)
