"""A real kernel's CIFS on real Samba: the link's mount and edits, beside a second client that lets nobody in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import smbclient

from lab.companion.disk import LARGE
from lab.companion.samba import USER
from provisioning.companion.on_host import BESIDE
from provisioning.companion.places import OURS
from provisioning.companion.records import Selected
from provisioning.companion.service import Edit, Service
from provisioning.companion.share import Share, ShareError
from provisioning.config_files import Selector
from provisioning.config_files import replace as with_value
from provisioning.host import Address, ConnectionLost
from provisioning.hosts import AS_ROOT, Hosts
from provisioning.keys import key_loader
from provisioning.ssh import Ssh
from provisioning.steps.kind import AS_WANTED
from provisioning.steps.kinds import BY_NAME
from tests.lab_companion.companion import Companion

pytestmark = pytest.mark.lab

MOUNT, FILE = "/mnt/m", "Billing/appsettings.json"
URL = Selected(file=FILE, format="json", at="/Endpoints/Loyalty/Url")
TITLE = Selected(
    file="Loyalty/Loyalty.exe.config", format="xml", at="/configuration/appSettings/add[@key='Listen']/@value"
)
EVENT = Selected(file=LARGE, format="properties", at="event.055555")
HERE = "http://10.77.0.11:8080/ünï"


@dataclass
class Linked:
    """The guest with the share mounted by the product's own step, and the second client."""

    companion: Companion
    hosts: Hosts
    address: Address
    ssh: Ssh

    @property
    def share(self) -> str:
        return f"//{self.companion.place.address}/M"

    @property
    def arguments(self) -> dict[str, Any]:
        who = {"link": "app", "share": self.share, "mount": MOUNT, "user": USER, "domain": "CASINO"}
        rights = {"uid": 0, "gid": 0, "file_mode": "0640", "dir_mode": "0750", "encrypt": False}
        return {**who, **rights, "password": self.companion.place.password(USER)}

    def service(self, **more: Any) -> Service:
        share = Share(hosts=self.hosts, address=self.address, name=self.share, mount=MOUNT)
        return Service(share=share, owner="lab/dev/app", name="billing", **more)

    def must(self, script: str) -> str:
        done = self.ssh.run(self.address, AS_ROOT, stdin=f"set -e\n{script}".encode(), timeout_s=120)
        assert done.exit_code == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def tree(self) -> dict[str, bytes]:
        files = self.companion.place.files
        found = {path.relative_to(files).as_posix(): path for path in files.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in found.items() if not name.startswith(OURS)}

    def place(self, path: str = FILE) -> str:
        """As the second client names it."""
        windows = path.replace("/", "\\")
        return rf"\\{self.companion.place.address}\M\{windows}"


@pytest.fixture(scope="module")
def linked(companion: Companion) -> Iterator[Linked]:
    companion.lab.command("companion", "app", "reset")
    guest = json.loads(companion.lab.command("qemu", "up").stdout)
    address = Address(host=guest["address"], user=guest["user"], host_key=" ".join(guest["host_key"].split()[:2]))
    ssh = Ssh(key_loader(Path(companion.fleet.user_key).read_text()))
    ssh.wait(address, 60)
    found = Linked(companion, Hosts(ssh), address, ssh)
    password = companion.place.password(USER)
    smbclient.register_session(companion.place.address, username=USER, password=password)
    yield found
    found.hosts.revert(address, step(found))
    smbclient.reset_connection_cache()
    ssh.close()
    companion.lab.command("companion", "app", "reset")


def step(linked: Linked) -> Any:
    return BY_NAME["ShareMount"].step("link-mount", linked.arguments)


def test_the_step_mounts_the_share_signed_and_a_second_time_changes_nothing(linked: Linked) -> None:
    kind = BY_NAME["ShareMount"]
    assert linked.hosts.converge(linked.address, step(linked)).changed
    assert not linked.hosts.converge(linked.address, step(linked)).changed
    now = kind.read(linked.arguments, linked.hosts.look(linked.address, step(linked)))
    assert now == {**linked.arguments, "state": AS_WANTED}
    assert "cifs" in linked.must(f"findmnt -no FSTYPE {MOUNT}")
    assert "signed" in linked.must("cat /proc/fs/cifs/DebugData")
    options = linked.must(f"findmnt -no OPTIONS {MOUNT}")
    assert {"nosuid", "nodev", "noexec", "sec=ntlmsspi"} <= set(options.replace("\n", ",").split(","))


def test_only_the_selected_bytes_change_and_come_back(linked: Linked) -> None:
    before = linked.tree()
    linked.service().point_here([Edit(selected=URL, value=HERE), Edit(selected=TITLE, value=HERE)])
    old = f"http://{linked.companion.place.address}:5002"
    expected = {
        FILE: before[FILE].replace(f"{old}/api/".encode(), HERE.encode()),
        TITLE.file: before[TITLE.file].replace(old.encode("utf-16-le"), HERE.encode("utf-16-le")),
    }
    assert linked.tree() == {**before, **expected}
    linked.service().give_back()
    assert linked.tree() == before


@pytest.mark.parametrize("share_access", [pytest.param(None, marks=pytest.mark.soak), "r"])
def test_a_file_that_a_program_holds_fails_with_the_old_bytes_and_no_litter(
    linked: Linked, share_access: str | None
) -> None:
    before = linked.tree()
    with smbclient.open_file(linked.place(), mode="rb", share_access=share_access) as held:
        began = time.monotonic()
        with pytest.raises(ShareError, match="is in use on Windows by a program that lets nobody else write"):
            linked.service().point_here([Edit(selected=URL, value=HERE)])
        assert time.monotonic() - began < 60
        assert held.read(1)
    assert linked.tree() == before
    linked.service().point_here([Edit(selected=URL, value=HERE)])
    linked.service().give_back()
    assert linked.tree() == before


@pytest.mark.parametrize("share_access", ["r", "rwd"])
def test_a_file_that_is_let_go_meanwhile_is_replaced(linked: Linked, share_access: str) -> None:
    before = linked.tree()
    held = smbclient.open_file(linked.place(), mode="rb", share_access=share_access)
    timer = threading.Timer(3, held.close)
    timer.start()
    linked.service().point_here([Edit(selected=URL, value=HERE)])
    timer.join()
    linked.service().give_back()
    assert linked.tree() == before


def test_a_reader_who_lets_others_delete_keeps_the_new_file_waiting_until_the_next_run(linked: Linked) -> None:
    before = linked.tree()
    with smbclient.open_file(linked.place(), mode="rb", share_access="rwd") as held:
        with pytest.raises(ShareError, match="a program on Windows still reads the old one"):
            linked.service().point_here([Edit(selected=URL, value=HERE)])
        assert held.read() == before[FILE]
    linked.service().point_here([Edit(selected=URL, value=HERE)])
    linked.service().give_back()
    assert linked.tree() == before


def test_what_somebody_saves_in_between_is_not_overwritten(linked: Linked) -> None:
    before = linked.tree()
    theirs = before[FILE].replace(b"NewTaxes", b"OldTaxes")

    def save() -> str:
        with smbclient.open_file(linked.place(), mode="wb", share_access="rwd") as file:
            file.write(theirs)
        return "2026-11-26T000000Z"

    service = replace(linked.service(), now=save)
    with pytest.raises(ShareError, match="was changed by somebody else meanwhile; the old file stands"):
        service.point_here([Edit(selected=URL, value=HERE)])
    assert linked.tree() == {**before, FILE: theirs}
    linked.service().point_here([Edit(selected=URL, value=HERE)])
    linked.service().give_back()
    assert linked.tree() == {**before, FILE: theirs}
    linked.companion.lab.command("companion", "app", "reset")


@pytest.mark.parametrize("after_s", [pytest.param(0.3, marks=pytest.mark.soak), 0.8])
def test_killed_at_any_moment_the_file_has_its_old_bytes_or_its_new_ones(
    linked: Linked, monkeypatch: pytest.MonkeyPatch, after_s: float
) -> None:
    before, edit, program = linked.tree(), Edit(selected=EVENT, value=f"after {after_s}"), Share.program
    new = with_value(before[LARGE], Selector(format=EVENT.format, at=EVENT.at), str(edit.value))
    killer = f"import signal, threading\nthreading.Timer({after_s}, lambda: os.kill(os.getpid(), 9)).start()\n\nmain("

    def killed(share: Share, request: Mapping[str, Any]) -> str:
        text = program(share, request)
        return killer.join(text.rsplit("\nmain(", 1)) if request["do"] == "change" else text

    with monkeypatch.context() as patch, suppress(ShareError, ConnectionLost):
        patch.setattr(Share, "program", killed)
        linked.service().point_here([edit])
    found = linked.tree()
    found.pop(LARGE + BESIDE, None)
    assert found in ({**before, LARGE: before[LARGE]}, {**before, LARGE: new})
    linked.service().point_here([edit])
    assert linked.tree() == {**before, LARGE: new}
    linked.service().give_back()
    assert linked.tree() == before


def test_a_file_that_is_read_only_on_windows_is_refused_by_name(linked: Linked) -> None:
    license_ = Selected(file="Gateway/license.ini", format="ini", at="License/Owner")
    before = linked.tree()
    with pytest.raises(ShareError, match=r"Gateway/license\.ini: .*read-only; take that attribute off on Windows"):
        linked.service().point_here([Edit(selected=license_, value="x")])
    assert linked.tree() == before
    linked.service().give_back()


def test_taken_back_the_host_knows_nothing_of_the_share(linked: Linked) -> None:
    linked.hosts.revert(linked.address, step(linked))
    linked.must(
        f"! grep -q ' {MOUNT} ' /proc/mounts; test ! -e /etc/hypercompose; test ! -e /etc/systemd/system/mnt-m.mount"
    )
