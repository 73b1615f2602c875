"""Hosts that take instances: a range of ports that is nobody else's, opened to those who may reach it."""

from __future__ import annotations

from typing import Any

import pytest

from settings import SettingsError
from tests.settings.test_stacks import GUESTBOOK, program, server, site

__all__ = ["site"]
OFFER: dict[str, Any] = {"ports": "20000-20999", "sources": ["10.0.0.0/8"], "memory_mib": 4096}


def hosted(host: str = "srv-1", stacks: dict[str, Any] | None = None, **changes: Any) -> Any:
    return program(hosting={host: {**OFFER, **changes}}, stacks=stacks)


def refused(text: str, **changes: Any) -> None:
    with pytest.raises(SettingsError) as error:
        hosted(**changes)
    assert text in str(error.value), str(error.value)


def test_its_ports_are_reached_from_the_sources_named_and_from_nowhere_else() -> None:
    found = hosted()
    offer = found.settings.hosting["srv-1"]
    assert (offer.first_port, offer.last_port, offer.networks, offer.is_open) == (20000, 20999, 60, True)
    published = found.hosts[0].docker.published
    assert published["instances"] == {"ports": ["20000-20999/tcp"], "sources": ["10.0.0.0/8"]}


def test_a_host_that_is_closed_keeps_its_ports_open_for_those_there() -> None:
    found = hosted(open=False)
    assert not found.settings.hosting["srv-1"].is_open
    assert "instances" in found.hosts[0].docker.published


@pytest.mark.parametrize("ports", ["20000", "20999-20000", "80-90", "20000-70000", "a-b", "$(reboot)-1", "", "1-2-3"])
def test_what_is_no_range_of_ports_is_refused(ports: str) -> None:
    refused("hosting.srv-1.ports", ports=ports)


@pytest.mark.parametrize("changes", [{"memory_mib": 0}, {"networks": 0}, {"sources": []}, {"sources": ["x"]}])
def test_an_offer_without_room_or_readers_is_refused_by_field(changes: dict[str, Any]) -> None:
    refused(f"hosting.srv-1.{next(iter(changes))}", **changes)


def test_a_host_that_is_none_of_the_stack_is_refused_with_those_that_are() -> None:
    refused('hosting.elsewhere: "elsewhere", expected one of the hosts with Portainer (srv-1)', host="elsewhere")


def test_a_range_over_a_port_that_somebody_has_is_refused() -> None:
    refused("a range without 9443; portainer has it", ports="9000-9443")
    refused("a range without 9444; the gate has it", ports="9444-9500")
    refused("a range without 8080; shop (web) has it", ports="8000-8100", stacks={"shop": GUESTBOOK})


def test_hosts_without_instances_open_nothing_for_them() -> None:
    found = program(hosts=[server(), server(2)], hosting={"srv-2": OFFER})
    assert [("instances" in host.docker.published) for host in found.hosts] == [False, True]
