"""A stack under another name or on another host does not begin with empty volumes unless told."""

from __future__ import annotations

from typing import Any

import pytest

from provider.resources.portainer import stack_move
from provider.resources.portainer.stack import Stack
from provider.resources.portainer.stack_move import unmoved
from provider.values import UNKNOWN
from provisioning.portainer.api import PortainerUnreachable
from tests.provider.portainer.serving import INLINE, PLACE, URN, Served
from tests.provisioning.portainer.world import stack

OLD = {**INLINE, "place": "vm-a"}
RENAMED, MOVED = {**OLD, "name": "store"}, {**OLD, "place": "vm-b", "vm": "1200"}
FROM = {"name": "shop", "place": "vm-a", "connection": {**PLACE, "host": "10.0.0.8"}, "volumes": "copy"}


def refused(news: dict[str, Any], olds: dict[str, Any] = OLD, volumes: tuple[str, ...] = ("shop_data",)) -> list[str]:
    return [f"{problem.property}: {problem.reason}" for problem in unmoved(olds, news, lambda: list(volumes))]


def test_a_rename_and_a_move_are_refused_with_the_setting_that_makes_them_possible() -> None:
    (renamed,) = refused(RENAMED)
    assert renamed.startswith("name: store on vm-a would replace shop on vm-a and begin with empty volumes (shop_data)")
    assert "`moved_from: {stack: shop, volumes: copy}`" in renamed
    (moved,) = refused(MOVED)
    assert moved.startswith("place: shop on vm-b would replace shop on vm-a")
    assert "`moved_from: {host: vm-a, volumes: copy}`" in moved
    (both,) = refused({**MOVED, "name": "store"})
    assert "`moved_from: {host: vm-a, stack: shop, volumes: copy}`" in both


@pytest.mark.parametrize("news", [RENAMED, MOVED])
@pytest.mark.parametrize("volumes", ["copy", "leave"])
def test_told_where_it_comes_from_it_may_go(news: dict[str, Any], volumes: str) -> None:
    assert refused({**news, "movedFrom": {**FROM, "volumes": volumes}}) == []


def test_told_another_origin_it_may_not() -> None:
    assert refused({**RENAMED, "movedFrom": {**FROM, "name": "other"}})
    assert refused({**MOVED, "movedFrom": {**FROM, "place": "vm-c"}})


def test_without_volumes_of_its_own_there_is_nothing_to_lose() -> None:
    assert refused(MOVED, volumes=()) == []


def test_what_stays_or_is_new_or_another_vm_under_the_same_name_is_not_asked_about() -> None:
    for olds, news in (
        (OLD, {**OLD, "vm": "1101"}),
        (OLD, {**OLD, "vm": UNKNOWN, "connection": UNKNOWN}),
        ({}, OLD),
        (INLINE, RENAMED),
        (OLD, {**OLD, "movedFrom": FROM}),
    ):
        assert refused(news, olds) == []


def test_volumes_that_go_with_the_old_stack_cannot_be_copied() -> None:
    (told,) = refused({**RENAMED, "movedFrom": FROM}, {**OLD, "keepVolumes": False})
    assert told.startswith("movedFrom: copy, but") and "`keep_volumes: true` first" in told


def test_an_old_server_that_is_away_is_no_leave(served: Served) -> None:
    def away() -> list[str]:
        raise PortainerUnreachable("https://10.0.0.9:9443: no answer (ConnectTimeout)")

    (told,) = [problem.reason for problem in unmoved(OLD, MOVED, away)]
    assert "empty volumes (unknown, as https://10.0.0.9:9443: no answer" in told


def test_the_check_of_a_stack_asks_the_old_server(served: Served) -> None:
    served.world.docker.kept = ["shop_data"]
    assert [problem.property for problem in Stack().check(served.context, URN, OLD, MOVED)] == ["place"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    return Served(monkeypatch)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = []
    monkeypatch.setattr(
        stack_move,
        "copy_volumes",
        lambda hosts, old, new: found.append((old.address.host, old.name, new.address.host, new.name)),
    )
    return found


def test_volumes_come_before_the_new_stack_under_locks_of_both(
    served: Served, copied: list[tuple[str, str, str, str]]
) -> None:
    served.world.stacks.on_deploy = lambda: copied.append(("", "deployed", "", ""))
    Stack().create(served.context, {**MOVED, "movedFrom": FROM})
    assert copied == [("10.0.0.8", "shop", "10.0.0.9", "shop"), ("", "deployed", "", "")]
    assert served.hosts.held == ["stack-shop", "stack-shop-volumes"]


@pytest.mark.parametrize("told", [None, {**FROM, "volumes": "leave"}])
def test_volumes_are_left_where_that_is_said(
    served: Served, copied: list[tuple[str, str, str, str]], told: dict[str, Any] | None
) -> None:
    Stack().create(served.context, {**MOVED, "movedFrom": told})
    assert copied == []


def test_a_stack_that_is_there_has_its_volumes(served: Served, copied: list[tuple[str, str, str, str]]) -> None:
    served.world.stacks.found = stack(commit="")
    Stack().create(served.context, {**MOVED, "movedFrom": FROM})
    assert copied == []
