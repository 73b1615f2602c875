"""From settings to links: whose share, which values, and how a mistake is named."""

from __future__ import annotations

from typing import Any

import pytest

from settings import SettingsError
from settings.link_plan import LinkPlan, Part
from tests.settings.test_stacks import GUESTBOOK, INLINE, KEY, program, server, site

__all__ = ["site"]
EDIT = {"file": "Billing/appsettings.json", "at": "/Endpoints/Gateway", "value": "http://{address}:8080"}
SERVICES: dict[str, Any] = {"billing": {"edits": [EDIT]}}


def link(**changes: Any) -> dict[str, Any]:
    return {"host": "srv-1", "companion": "10.77.0.41", "user": "svc-compose", "services": SERVICES, **changes}


def planned(*, stacks: dict[str, Any] | None = None, **changes: Any) -> LinkPlan:
    found: LinkPlan = program(links={"app": link(**changes)}, stacks=stacks).links[0]
    return found


def refused(text: str, *, stacks: dict[str, Any] | None = None, **changes: Any) -> None:
    with pytest.raises(SettingsError) as error:
        planned(stacks=stacks, **changes)
    assert text in str(error.value), str(error.value)


def value(text: str, **more: Any) -> str:
    """A value as the program would write it, its late parts in angle brackets."""
    edits = {"billing": {"edits": [{**EDIT, "value": text}]}}
    parts = planned(services=edits, **more).services[0].entries[0].parts or ()
    return "".join(
        part.text if part.kind == "text" else f"<{part.kind}{part.text and ':'}{part.text}>" for part in parts
    )


def test_a_link_is_its_share_and_its_services() -> None:
    found = planned(containerised=["billing"])
    assert (found.name, found.share, found.settings.mount) == ("app", "//10.77.0.41/M", "/mnt/m")
    service = found.services[0]
    assert (service.name, service.containerised, service.stacks) == ("billing", True, frozenset())
    entry = service.entries[0]
    assert (entry.file, entry.format, entry.at, entry.encoding) == (EDIT["file"], "json", EDIT["at"], "auto")
    assert entry.parts == (Part("text", "http://"), Part("address"), Part("text", ":8080"))


def test_a_service_that_is_not_named_as_containerised_stays_with_windows() -> None:
    assert [service.containerised for service in planned().services] == [False]


def test_values_speak_of_the_host_its_ports_and_secrets() -> None:
    stacks = {"shop": GUESTBOOK}
    assert value("{name} {fqdn} {companion}") == "srv-1 srv-1.lab.internal 10.77.0.41"
    assert value("{{literal}} {address}") == "{literal} <address>"
    assert value("{port:shop.web}", stacks=stacks) == "8080"
    assert value("Password={secret:db};") == "Password=<secret:db>;"
    edits = {"billing": {"edits": [{**EDIT, "value": "{port:shop.web}{secret:db}"}]}}
    found = planned(services=edits, stacks=stacks)
    assert found.services[0].stacks == {"shop"} and found.secrets == {"db"} and found.services[0].entries[0].is_secret


@pytest.mark.parametrize("word", ["{nobody}", "{port:shop.ssh}", "{secret:}", "{secret:a b}", "{", "}", "{}", "{{{"])
def test_a_word_that_stands_for_nothing_is_named_with_those_that_do(word: str) -> None:
    edits = {"billing": {"edits": [{**EDIT, "value": f"x{word}"}]}}
    refused("links.app.services.billing.edits[0].value: ", services=edits, stacks={"shop": GUESTBOOK})
    refused("one of {address}, {name}, {fqdn}, {companion}, {secret:…}, {port:shop.web}", services=edits,
            stacks={"shop": GUESTBOOK})  # fmt: skip


def test_a_port_of_another_host_is_refused() -> None:
    edits = {"billing": {"edits": [{**EDIT, "value": "{port:shop.web}"}]}}
    with pytest.raises(SettingsError, match=r"expected a port on srv-2; shop runs on srv-1"):
        program(
            hosts=[server(), server(2)],
            links={"app": link(host="srv-2", services=edits)},
            stacks={"shop": {**GUESTBOOK, "host": "srv-1"}},
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "nobody"}, "links.app.host: \"nobody\", expected one of the stack's hosts: srv-1; name one"),
        ({"companion": "a b"}, "links.app.companion: "),
        ({"share": "a/b"}, "links.app.share: '//10.77.0.41/a/b', expected //<address or name>/<share>"),
        ({"mount": "mnt"}, "links.app.mount: "),
        ({"containerised": ["x"]}, 'links.app.containerised: "x", expected one of its services: billing'),
        ({"services": {"b": {"edits": []}}}, "links.app.services.b.edits: "),
        ({"services": {"b": {"edits": [{**EDIT, "file": "../x.json"}]}}}, "edits[0].file: '../x.json', which has"),
        ({"services": {"b": {"edits": [{**EDIT, "file": "x.bin"}]}}}, "edits[0].format: missing, expected json, xml"),
        ({"services": {"b": {"edits": [{**EDIT, "at": "no pointer"}]}}}, "links.app.services.b.edits[0].at: "),
        ({"services": {"b": {"edits": [{**EDIT, "keep": True}]}}}, "exactly one of `value` and `keep: true`"),
        ({"services": {"b": {"edits": [EDIT], "restarts": ["X"]}}}, "restarts: [\"X\"], expected `ssh` of the link"),
        ({"services": {"b": {"edits": [EDIT], "restarts": ["X'; rm"]}}}, "links.app.services.b.restarts[0]: "),
        ({"services": {"a": {"edits": [EDIT]}, "b": {"edits": [{**EDIT, "file": r"BILLING\appsettings.json"}]}}},
         "app.a has it; one entry belongs to one service"),
        ({"file_mode": "0999"}, "links.app.file_mode: "),
        ({"unknown": 1}, "links.app.unknown: unknown setting"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_field(changes: dict[str, Any], words: str) -> None:
    refused(words, **changes)


def test_two_links_have_places_and_entries_of_their_own() -> None:
    other = link(share="m", mount="/mnt/m")
    with pytest.raises(SettingsError) as error:
        program(links={"app": link(), "second": other})
    assert 'links.second.mount: "/mnt/m", expected a place of its own; link app has it' in str(error.value)
    assert "app.billing has it" in str(error.value)
    elsewhere = link(companion="10.77.0.42", mount="/mnt/second")
    assert [plan.name for plan in program(links={"app": link(), "second": elsewhere}).links] == ["app", "second"]


def test_a_stack_mounts_the_shares_of_links_of_its_own_host() -> None:
    inline = {"inline": INLINE, "links": ["app"]}
    assert program(links={"app": link()}, stacks={"web": inline}).stacks[0].settings.links == ("app",)
    with pytest.raises(SettingsError, match=r'stacks\.web\.links: "other", expected a link of srv-1: app'):
        program(links={"app": link()}, stacks={"web": {**inline, "links": ["other"]}})


def test_openssh_on_windows_is_by_its_pinned_key() -> None:
    edits = {"b": {"edits": [EDIT], "restarts": ["Casino Billing"]}}
    found = planned(services=edits, ssh={"host_key": KEY}).settings.ssh
    assert found and (found.user, found.port) == ("Administrator", 22)
