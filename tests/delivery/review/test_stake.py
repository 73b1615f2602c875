"""What is said of data that a replacement or deletion touches."""

from __future__ import annotations

import pytest

from delivery.review.preview import Change, Digest
from delivery.review.stake import stakes
from tests.delivery.review.recorded import change, digested


def told(*changes: Change) -> list[str]:
    """Each stake as text, with what is lost marked."""
    found = stakes(Digest(stack="a", changes=changes))
    return [("lost: " if stake.is_lost else "kept: ") + stake.text for stake in found]


def lost(name: str) -> str:
    return "\n".join(stake.text for stake in stakes(digested(name)) if stake.is_lost)


def kept(name: str) -> str:
    return "\n".join(stake.text for stake in stakes(digested(name)) if not stake.is_lost)


def test_nothing_is_at_stake_where_nothing_goes() -> None:
    assert stakes(digested("fresh")) == []
    assert stakes(digested("changed")) == []


def test_a_replaced_vm_keeps_its_data_disks_and_loses_what_docker_had() -> None:
    text = lost("replaced")
    assert "VM `vm-acceptance-app-1` is **replaced**: **its root disk is lost**" in text
    assert "its data disks are kept (in VM `vm-acceptance-app-1-data`)" in text
    assert "Portainer on `vm-acceptance-app-1` is **replaced**: **its own data are lost** with VM" in text
    assert "stack `guestbook` is **replaced**: **its named volumes are lost** with VM `vm-acceptance-app-1`" in text


def test_a_deleted_vm_loses_everything() -> None:
    text = lost("gone")
    assert "**and its data disks are lost**" in text
    assert "VM `vm-acceptance-app-1-data` is **deleted**: **the data disks in it are lost**" in text
    assert "**its named volumes are lost** with VM `vm-acceptance-app-1`" in text
    assert kept("gone") == ""


def test_a_deleted_stack_keeps_its_volumes_on_a_host_that_stays() -> None:
    assert "stack `guestbook` is **deleted**: its named volumes are kept on the host" in kept("stack-deleted")
    assert "volumes" not in lost("stack-deleted")
    assert "password `guestbook.guestbook_db_password` is **deleted**" in lost("stack-deleted")


def test_a_deleted_portainer_keeps_its_data_on_a_host_that_stays() -> None:
    assert "Portainer on `vm-acceptance-app-1` is **deleted**: its own data are kept" in kept("portainer-deleted")


def test_a_data_disk_that_is_taken_away_is_lost() -> None:
    assert "VM `vm-acceptance-app-1-data` loses 1 data disk: **the data are lost**" in lost("disk-removed")


def test_a_stack_that_takes_its_volumes_along_says_so() -> None:
    stack = change("delete", "Stack", "guestbook", component="guestbook", keeps_volumes=False)
    component = change("delete", "PortainerStack", "guestbook", component="guestbook", above="h-portainer")
    assert told(stack, component) == [
        "lost: stack `guestbook` is **deleted**: **its named volumes are lost** (`keep_volumes` is off)"
    ]


def test_a_mount_and_a_file_system_keep_what_is_in_them() -> None:
    assert told(change("replace", "Filesystem", "vm-1-data"), change("delete", "Mount", "h-mount-m")) == [
        "kept: file system `vm-1-data` is **replaced**: unmounted, its data stay on the disk",
        "kept: mount `h-mount-m` is **deleted**: unmounted, nothing in it is touched",
    ]


@pytest.mark.parametrize("operation", ["replace", "delete"])
def test_a_protected_vm_is_said_to_be_refused(operation: str) -> None:
    assert (
        "it is protected, the engine refuses that"
        in told(change(operation, "VmLegacy", "vm-1-vm", is_protected=True))[0]
    )


def test_a_vm_without_data_disks_is_not_said_to_keep_any() -> None:
    assert "data disks" not in told(change("replace", "VmLegacy", "vm-1-vm"))[0]
