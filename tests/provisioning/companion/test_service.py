"""One service's entries: pointed here, back to Windows, beside other links and other people."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from provisioning.companion.places import OURS
from provisioning.companion.records import ClaimTaken
from provisioning.companion.share import CompanionAway, HalfDone, ShareError
from provisioning.companion.windows import RestartFailed
from provisioning.config_files import EditError
from tests.provisioning.companion.world import BANK, GATEWAY, INI, JSON, PORT, World, to

HERE = "http://10.77.0.11:8080"
GATEWAY_PLACE = (GATEWAY.file, GATEWAY.at)
RECORD = f"{OURS}/links/lab.dev.app/billing.json"


def test_exactly_the_value_changes_and_the_original_is_kept_with_its_date(world: World) -> None:
    before = world.tree()
    done = world.service().point_here([to(GATEWAY, HERE), to(PORT, "8080")])
    assert done.changed and done.left == () and done.notes == ()
    assert done.values == {GATEWAY_PLACE: HERE, (PORT.file, PORT.at): "8080"}
    expected = {
        GATEWAY.file: JSON.replace(b"http://10.0.0.21:5001", HERE.encode()),
        PORT.file: INI.replace(b"5001", b"8080"),
    }
    assert world.tree() == {**before, **expected}
    backups = [path for path in world.own() if "/backups/" in path]
    assert backups == [
        f"{OURS}/backups/2026-11-26T000001Z/lab.dev.app/Billing/appsettings.json",
        f"{OURS}/backups/2026-11-26T000001Z/lab.dev.app/Floor/services.ini",
    ]
    assert [world.read(path) for path in backups] == [JSON, INI]


def test_a_second_time_nothing_is_written(world: World) -> None:
    world.service().point_here([to(GATEWAY, HERE)])
    own, stamps = world.own(), {path: (world.folder / path).stat().st_mtime_ns for path in [GATEWAY.file, RECORD]}
    assert not world.service().point_here([to(GATEWAY, HERE)]).changed
    assert world.own() == own
    assert {path: (world.folder / path).stat().st_mtime_ns for path in stamps} == stamps


def test_giving_back_restores_every_byte_and_leaves_no_claim(world: World) -> None:
    before = world.tree()
    service = world.service()
    service.point_here([to(GATEWAY, HERE), to(BANK, "x"), to(PORT, "1")])
    assert service.give_back() == replace(service.give_back(), changed=True)
    assert world.tree() == before
    assert RECORD not in world.own() and all("/backups/" in path for path in world.own())
    assert not service.give_back().changed


def test_hand_edits_elsewhere_in_the_file_stay(world: World) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, HERE)])
    world.write(GATEWAY.file, world.read().replace(b"5002", b"6002"))
    service.point_here([to(GATEWAY, "http://10.77.0.12:8080")])
    service.give_back()
    assert world.read() == JSON.replace(b"5002", b"6002")


def test_a_value_that_somebody_changed_is_healed_by_pointing_and_left_alone_by_giving_back(world: World) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, HERE)])
    by_hand = world.read().replace(HERE.encode(), b"http://by.hand")
    world.write(GATEWAY.file, by_hand)
    assert service.values([GATEWAY]) == {GATEWAY_PLACE: "http://by.hand"}
    assert service.point_here([to(GATEWAY, HERE)]).changed and HERE.encode() in world.read()
    world.write(GATEWAY.file, by_hand)
    done = service.give_back()
    assert done.left == (f"{GATEWAY.told}: was changed by somebody else since; it stays as it is",)
    assert world.read() == by_hand and RECORD not in world.own()


def test_a_value_that_is_kept_is_taken_as_it_stands_and_given_back_as_it_was_before_us(world: World) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, HERE)])
    world.write(GATEWAY.file, world.read().replace(HERE.encode(), b"http://by.hand"))
    done = service.point_here([to(GATEWAY, None)])
    assert done.values == {GATEWAY_PLACE: "http://by.hand"} and b"by.hand" in world.read()
    service.give_back()
    assert world.read() == JSON


def test_an_entry_that_is_no_longer_declared_is_given_back_at_once(world: World) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, HERE), to(PORT, "1")])
    service.point_here([to(GATEWAY, HERE)])
    assert world.read(PORT.file) == INI and HERE.encode() in world.read()
    assert [each["selected"]["file"] for each in json.loads(world.read(RECORD))["claims"]] == [GATEWAY.file]


def test_services_come_and_go_one_at_a_time(world: World) -> None:
    billing, bank, floor = (world.service(name) for name in ("billing", "bank", "floor"))
    billing.point_here([to(GATEWAY, HERE)])
    bank.point_here([to(BANK, "http://b")])
    floor.point_here([to(PORT, "1")])
    bank.give_back()
    assert world.read() == JSON.replace(b"http://10.0.0.21:5001", HERE.encode())
    assert world.read(PORT.file) == INI.replace(b"5001", b"1")


@pytest.mark.parametrize("owner", ["lab/other/app", "lab/dev/app"])
def test_the_second_claim_of_an_entry_is_refused_by_name(world: World, owner: str) -> None:
    world.service().point_here([to(GATEWAY, HERE)])
    before = world.tree()
    other = replace(GATEWAY, file="BILLING/AppSettings.JSON", at="/endpoints/gateway")
    world.write(other.file, b"{}")
    whose = "billing of this link" if owner == "lab/dev/app" else "billing of lab/dev/app"
    second, words = world.service("second", owner), f"service {whose} has it.*{re.escape(RECORD)}"
    with pytest.raises(ClaimTaken, match=words):
        second.point_here([to(other, "x")])
    with pytest.raises(ClaimTaken, match=words):
        second.originals([other])
    (world.folder / other.file).unlink()
    (world.folder / "BILLING").rmdir()
    assert world.tree() == before


def test_of_two_claims_at_once_at_most_one_is_kept(world: World) -> None:
    before = world.tree()
    other = world.service("second", "lab/other/app")
    # the other one comes between our look and our change
    ours = replace(world.service(), now=lambda: "m" if other.point_here([to(GATEWAY, "http://10.0.0.21:5001")]) else "")
    with pytest.raises(ShareError, match="another link has claimed something meanwhile; the old file stands"):
        ours.point_here([to(BANK, HERE), to(GATEWAY, HERE)])
    assert RECORD not in world.own()
    with pytest.raises(ClaimTaken):
        ours.point_here([to(GATEWAY, HERE)])
    other.give_back()
    assert world.tree() == before


def test_the_values_of_windows_are_known_before_and_after(world: World) -> None:
    service = world.service()
    original = {GATEWAY_PLACE: "http://10.0.0.21:5001"}
    assert service.originals([GATEWAY]) == original
    service.point_here([to(GATEWAY, HERE)])
    assert service.originals([GATEWAY]) == original


def test_a_lost_record_is_made_up_for_by_what_the_state_knows(world: World) -> None:
    service, known = world.service(), {GATEWAY_PLACE: "http://10.0.0.21:5001"}
    service.point_here([to(GATEWAY, HERE)])
    for path in world.own():
        (world.folder / path).unlink()
    service.point_here([to(GATEWAY, HERE)], known)
    service.give_back(known)
    assert world.read() == JSON


def test_a_lost_backup_is_told_where_nobody_knows_the_value(world: World) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, HERE)])
    for path in world.own():
        if "/backups/" in path:
            (world.folder / path).unlink()
    done = service.give_back()
    assert "is gone, and nobody remembers what stood there; set it by hand" in done.left[0]
    assert HERE.encode() in world.read()


def test_windows_services_are_restarted_only_when_something_changed(world: World) -> None:
    service = world.service(restarts=("CasinoBilling", "CasinoBank"))
    service.point_here([to(GATEWAY, HERE)])
    service.point_here([to(GATEWAY, HERE)])
    assert world.restarted == ["CasinoBilling", "CasinoBank"]
    service.give_back()
    assert world.restarted == ["CasinoBilling", "CasinoBank"] * 2


def test_a_restart_that_failed_is_due_until_it_works(world: World) -> None:
    def refuse(names: object) -> None:
        raise RestartFailed("no")

    service = world.service(restarts=("CasinoBilling",))
    with pytest.raises(RestartFailed):
        replace(service, restart=refuse).point_here([to(GATEWAY, HERE)])
    service.point_here([to(GATEWAY, HERE)])
    service.point_here([to(GATEWAY, HERE)])
    assert world.restarted == ["CasinoBilling"]


@pytest.mark.parametrize(
    ("at", "message"),
    [("/Endpoints/None", "Billing/appsettings.json: /Endpoints/None"), ("/Endpoints", "Billing/appsettings.json: /E")],
)
def test_a_selector_that_names_no_value_is_an_error_before_anything_is_written(
    world: World, at: str, message: str
) -> None:
    before = world.tree()
    with pytest.raises(EditError, match=re.escape(message)):
        world.service().point_here([to(PORT, "1"), to(replace(GATEWAY, at=at), "x")])
    assert world.tree() == before and world.own() == []


def test_a_file_that_is_not_there_is_named_with_what_to_do(world: World) -> None:
    with pytest.raises(ShareError, match=r"Other/x\.json: is not there; check the path"):
        world.service().point_here([to(replace(GATEWAY, file="Other/x.json"), "x")])


def test_files_after_the_one_that_failed_are_done_by_the_next_run(world: World) -> None:
    before = world.tree()
    (world.folder / PORT.file).chmod(0o444)
    service = world.service()
    with pytest.raises(HalfDone, match=r"Floor/services\.ini: is read-only; take that attribute off"):
        service.point_here([to(GATEWAY, HERE), to(PORT, "1")])
    assert world.read(PORT.file) == INI and HERE.encode() in world.read()
    (world.folder / PORT.file).chmod(0o644)
    service.point_here([to(GATEWAY, HERE), to(PORT, "1")])
    assert world.read(PORT.file) == INI.replace(b"5001", b"1")
    service.give_back()
    assert world.tree() == before


def test_a_half_done_change_is_given_back_whole(world: World) -> None:
    before = world.tree()
    (world.folder / PORT.file).chmod(0o444)
    with pytest.raises(HalfDone):
        world.service().point_here([to(GATEWAY, HERE), to(PORT, "1")])
    (world.folder / PORT.file).chmod(0o644)
    world.service().give_back()
    assert world.tree() == before


def test_a_new_value_on_its_way_can_be_given_back_from_either(world: World) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, HERE), to(PORT, "1")])
    (world.folder / PORT.file).chmod(0o444)
    with pytest.raises(HalfDone):
        service.point_here([to(GATEWAY, "http://new"), to(PORT, "2")])
    (world.folder / PORT.file).chmod(0o644)
    assert service.give_back().left == ()
    assert (world.read(), world.read(PORT.file)) == (JSON, INI)


def test_a_record_that_is_none_is_named_and_nothing_is_touched(world: World) -> None:
    world.write(f"{OURS}/links/lab.other.app/x.json", b"{")
    before = world.tree()
    with pytest.raises(ShareError, match=r"links/lab\.other\.app/x\.json: is no record"):
        world.service().point_here([to(GATEWAY, HERE)])
    assert world.tree() == before


@pytest.mark.parametrize("value", ["$(reboot)", "a'b\"c", "zeile\nzwei", "ünï \U0001f418", "]]>", "\\", "", "x" * 9000])
def test_hostile_values_arrive_as_they_are(world: World, value: str) -> None:
    service = world.service()
    service.point_here([to(GATEWAY, value)])
    assert service.values([GATEWAY]) == {GATEWAY_PLACE: value}
    service.give_back()
    assert world.read() == JSON


def test_another_share_in_its_place_is_not_touched(world: World) -> None:
    world.hosts.source = "//10.0.0.99/M"
    with pytest.raises(CompanionAway, match=r"is not mounted at"):
        world.service().point_here([to(GATEWAY, HERE)])
    assert world.read() == JSON
