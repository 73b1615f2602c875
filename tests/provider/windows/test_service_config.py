"""Where config files say that a service is, as a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provider.resource import UNREAD, Context, HalfMade
from provider.resources.windows.service_config import ServiceConfig
from provider.values import UNKNOWN
from provisioning.companion.share import CompanionAway, ShareError
from provisioning.companion.windows import RestartFailed
from provisioning.host import Address, HostUnreachable, Result
from tests.provisioning.companion.world import GATEWAY, JSON, NAME, PORT, FolderHosts, World

URN = "urn:pulumi:dev::hypercompose::hypercompose:windows:ServiceConfig::vm-app-billing"
HERE, THERE = "http://10.77.0.11:8080", "http://10.0.0.21:5001"
PLACE = {"host": "10.0.0.9", "port": 22, "user": "ops", "host_key": "ssh-ed25519 AAAA"}


class Hosts(FolderHosts):
    """With locks, and a connection that may be lost."""

    lost: Exception | None = None

    @contextmanager
    def holding(self, address: Address, name: str, patience_s: float) -> Iterator[None]:
        self.reach(address)
        assert name == "link-lab.dev.app"
        yield

    def reach(self, address: Address) -> None:
        if self.lost:
            raise self.lost

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        self.reach(address)
        return super().ask(address, program, timeout_s)


class Windows:
    def __init__(self) -> None:
        self.asked = 0
        self.answer = Result(0, "Running\r\n", "")

    def run(self, address: Address, command: str, **more: Any) -> Result:
        assert address == Address(host="10.0.0.21", user="Administrator", host_key="ssh-ed25519 BBBB", port=22)
        self.asked += 1
        return self.answer


class Served:
    NAMES = ("connection", "vm", "link", "owner", "service", "servedBy", "entries", "values", "secretValues")

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.hosts, self.windows = Hosts(folder), Windows()
        self.world.hosts = self.hosts
        self.warned: list[str] = []
        self.context = Context(
            proxmox=None,  # type: ignore[arg-type]
            load_ssh=lambda: None,  # type: ignore[arg-type,return-value]
            warn=lambda urn, text: self.warned.append(text),
        )
        self.context._hosts, self.context._ssh = self.hosts, self.windows  # type: ignore[assignment]

    def inputs(self, served_by: str = "vm-app-1", **changes: Any) -> dict[str, Any]:
        entries = {
            GATEWAY.file: {GATEWAY.at: {"format": "json", "encoding": "auto"}},
            PORT.file: {PORT.at: {"format": "ini", "encoding": "cp1252", "secret": True}},
        }
        here = served_by != "windows"
        given: dict[str, Any] = {
            "connection": PLACE, "vm": "1100", "link": {"share": NAME, "mount": str(self.world.folder)},
            "owner": "lab/dev/app", "service": "billing", "servedBy": served_by, "entries": entries,
            "values": {GATEWAY.file: {GATEWAY.at: HERE}} if here else {},
            "secretValues": {PORT.file: {PORT.at: "8080"}} if here else {},
            "restarts": ["CasinoBilling"],
            "windowsHost": {"host": "10.0.0.21", "user": "Administrator", "port": 22, "hostKey": "ssh-ed25519 BBBB"},
            **changes,
        }  # fmt: skip
        return given

    def checked(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        assert list(ServiceConfig().check(self.context, URN, olds, news)) == []
        return {**news, **ServiceConfig().complete(self.context, URN, olds, news)}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_a_preview_shows_both_values_of_each_entry_with_secrets_apart(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    assert inputs["values"] == {GATEWAY.file: {GATEWAY.at: HERE}}
    assert inputs["windows"] == {GATEWAY.file: {GATEWAY.at: THERE}}
    assert inputs["secretValues"] == {PORT.file: {PORT.at: "8080"}}
    assert inputs["secretWindows"] == {PORT.file: {PORT.at: "5001"}}
    assert {"secretValues", "secretWindows"} <= ServiceConfig.secrets


def test_one_that_windows_has_shows_what_stands_there_and_touches_nothing(served: Served) -> None:
    before = served.world.tree()
    inputs = served.checked({}, served.inputs("windows"))
    assert inputs["values"] == inputs["windows"] == {GATEWAY.file: {GATEWAY.at: THERE}}
    ServiceConfig().create(served.context, inputs)
    assert served.world.tree() == before and served.world.own() == [] and served.windows.asked == 0


def test_moving_there_and_back_reads_as_old_and_new_value(served: Served) -> None:
    on_windows = served.checked({}, served.inputs("windows"))
    here = served.checked(on_windows, served.inputs())
    assert (on_windows["values"], here["values"]) == ({GATEWAY.file: {GATEWAY.at: THERE}}, served.inputs()["values"])
    ServiceConfig().update(served.context, on_windows, here)
    assert HERE.encode() in served.world.read() and served.windows.asked == 1
    back = served.checked(here, served.inputs("windows"))
    assert back["values"] == on_windows["values"] and back["secretValues"] == on_windows["secretValues"]
    ServiceConfig().update(served.context, here, back)
    assert served.world.read() == JSON and served.windows.asked == 2


def test_nothing_is_read_anew_where_the_state_knows(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    asked = served.hosts.asked
    assert served.checked(inputs, served.inputs()) == inputs
    assert served.hosts.asked == asked


def test_a_host_that_is_not_there_yet_is_no_obstacle_to_a_preview(served: Served) -> None:
    for lost in (HostUnreachable("no"), CompanionAway("no")):
        served.hosts.lost = lost
        assert served.checked({}, served.inputs())["windows"] == {}
    unknown = served.inputs(connection={**PLACE, "host": UNKNOWN}, values={GATEWAY.file: {GATEWAY.at: UNKNOWN}})
    found = served.checked({}, unknown)
    assert found["values"] == {GATEWAY.file: {GATEWAY.at: UNKNOWN}} and found["windows"] == {}


def test_a_file_that_is_not_there_is_told_at_preview(served: Served) -> None:
    news = served.inputs(entries={"None/x.json": {"/a": {"format": "json"}}}, values={}, secretValues={})
    with pytest.raises(ShareError, match=r"None/x\.json: is not there"):
        served.checked({}, news)


def test_a_hand_edit_reads_as_drift_and_is_healed(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    ServiceConfig().create(served.context, inputs)
    served.world.write(GATEWAY.file, served.world.read().replace(HERE.encode(), b"http://by.hand"))
    now = ServiceConfig().read(served.context, URN, "id", inputs)
    assert now is not None and now["values"] == {GATEWAY.file: {GATEWAY.at: "http://by.hand"}}
    assert {key: now[key] for key in now if key != "values"} == {key: inputs[key] for key in inputs if key != "values"}
    wanted = served.checked(now, served.inputs())
    assert wanted == inputs
    ServiceConfig().update(served.context, now, wanted)
    assert HERE.encode() in served.world.read()


def test_a_hand_edit_is_taken_over_when_told(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    ServiceConfig().create(served.context, inputs)
    served.world.write(GATEWAY.file, served.world.read().replace(HERE.encode(), b"http://by.hand"))
    now = ServiceConfig().read(served.context, URN, "id", inputs)
    entries = {**served.inputs()["entries"], GATEWAY.file: {GATEWAY.at: {"format": "json", "keep": True}}}
    kept = served.checked(now or {}, served.inputs(entries=entries, values={}))
    assert kept["values"] == {GATEWAY.file: {GATEWAY.at: "http://by.hand"}}
    ServiceConfig().update(served.context, now or {}, kept)
    assert ServiceConfig().read(served.context, URN, "id", kept) == kept
    assert b"by.hand" in served.world.read()


def test_what_changes_while_windows_has_it_is_theirs(served: Served) -> None:
    inputs = served.checked({}, served.inputs("windows"))
    ServiceConfig().create(served.context, inputs)
    served.world.write(GATEWAY.file, JSON.replace(b"5001", b"6001"))
    now = ServiceConfig().read(served.context, URN, "id", inputs) or {}
    assert now["values"] == now["windows"] == {GATEWAY.file: {GATEWAY.at: "http://10.0.0.21:6001"}}
    assert served.checked(now, served.inputs("windows")) == now


def test_deleting_gives_back_and_says_what_it_left(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    ServiceConfig().create(served.context, inputs)
    served.world.write(PORT.file, served.world.read(PORT.file).replace(b"8080", b"9"))
    ServiceConfig().delete(served.context, "id", inputs)
    assert served.world.read() == JSON
    assert served.warned == [f"{PORT.told}: was changed by somebody else since; it stays as it is"]


@pytest.mark.parametrize("lost", [HostUnreachable("h: gone"), CompanionAway("h: gone")])
def test_a_companion_that_is_gone_keeps_nobody_from_deleting(served: Served, lost: Exception) -> None:
    inputs = served.checked({}, served.inputs())
    ServiceConfig().create(served.context, inputs)
    served.hosts.lost = lost
    ServiceConfig().delete(served.context, "id", inputs)
    ServiceConfig().delete(served.context, "id", {**inputs, "servedBy": "windows"})
    assert served.warned == [f"billing: {GATEWAY.file}, {PORT.file}: still as we wrote them, as h: gone"]


def test_a_companion_that_does_not_answer_is_unknown_not_clean(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    served.hosts.lost = CompanionAway("no answer")
    assert ServiceConfig().read(served.context, URN, "id", inputs) == inputs
    assert served.warned == [f"{UNREAD}no answer"]


def test_creation_that_ends_on_its_way_stays_in_the_state(served: Served) -> None:
    inputs = served.checked({}, served.inputs())
    served.windows.answer = Result(1, "", "no such service")
    with pytest.raises(HalfMade, match="no such service") as half:
        ServiceConfig().create(served.context, inputs)
    assert half.value.identity == "lab/dev/app/billing" and HERE.encode() in served.world.read()
    with pytest.raises(RestartFailed):
        ServiceConfig().update(served.context, inputs, inputs)


def test_a_companion_is_not_exchanged_under_what_points_here(served: Served) -> None:
    olds = served.inputs()
    other = {**olds, "link": {**olds["link"], "share": "//10.0.0.99/M"}}
    found = list(ServiceConfig().check(served.context, URN, olds, other))
    assert [problem.property for problem in found] == ["link.share"] and "`containerised`" in found[0].reason
    same = {**olds, "link": {**olds["link"], "share": NAME.replace("/M", "/M$")}}
    assert list(ServiceConfig().check(served.context, URN, olds, same)) == []
    assert list(ServiceConfig().check(served.context, URN, {**olds, "servedBy": "windows"}, other)) == []


def test_another_address_of_the_host_is_an_update(served: Served) -> None:
    assert not ServiceConfig.replace_on & {"connection", "vm", "values", "link", "servedBy", "entries"}


@pytest.mark.parametrize(
    "names",
    [("link",), ("entries",), ("servedBy",), ("connection", "vm", "values", "secretValues"), tuple(Served.NAMES)],
)
def test_what_is_unknown_while_a_vm_is_replaced_is_no_error(served: Served, names: tuple[str, ...]) -> None:
    olds = served.checked({}, served.inputs())
    found = served.checked(olds, {**served.inputs(), **dict.fromkeys(names, UNKNOWN)})
    assert [name for name, value in found.items() if value is UNKNOWN] == [
        name for name in served.inputs() if name in names
    ]
