"""The file of a route: what it says, and that nothing hostile gets into it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.steps.hosting.route_file import route_problems, route_text

GOOD: dict[str, Any] = {
    "host": "shop.shops.example.com",
    "address": "10.0.0.11",
    "port": 20000,
    "paths": {"/websocket": 20001, "/longpolling": 20001},
}
HOSTILE = (
    "$(reboot)",
    "a; } server { listen 1; server_name b",
    "a\nb",
    "a b",
    '"',
    "'",
    "$host",
    "~^.*$",
    "*.example.com",
    "ünï.example.com",
    "{}",
    "#",
    "\\",
    "",
    None,
    5,
)


def test_a_name_leads_to_a_port_and_its_paths_with_all_below_them_to_another() -> None:
    lines = route_text(**GOOD).splitlines()
    assert lines[1:] == [
        "server {",
        "    include listen.conf;",
        "    include away.conf;",
        "    server_name shop.shops.example.com;",
        "    location = /longpolling { include proxy.conf; proxy_pass http://10.0.0.11:20001; }",
        "    location ^~ /longpolling/ { include proxy.conf; proxy_pass http://10.0.0.11:20001; }",
        "    location = /websocket { include proxy.conf; proxy_pass http://10.0.0.11:20001; }",
        "    location ^~ /websocket/ { include proxy.conf; proxy_pass http://10.0.0.11:20001; }",
        "    location / { include proxy.conf; proxy_pass http://10.0.0.11:20000; }",
        "}",
    ]


def test_an_address_of_ipv6_is_written_as_urls_have_it() -> None:
    assert "http://[2001:db8::1]:20000;" in route_text(**{**GOOD, "address": "2001:db8::1"})


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["host", "address"])
def test_hostile_words_are_refused_by_field_and_never_written(field: str, value: Any) -> None:
    args = {**GOOD, field: value}
    assert {problem.property for problem in route_problems(**args)} == {field}
    with pytest.raises(ValueError, match=field):
        route_text(**args)


@pytest.mark.parametrize(
    "path", [*(v for v in HOSTILE if v is not None), "/", "/a/", "//a", "/a//b", "/../a", "/a;", "/a{"]
)
def test_hostile_paths_are_refused(path: Any) -> None:
    with pytest.raises(ValueError, match="paths"):
        route_text(**{**GOOD, "paths": {path: 20001}})


@pytest.mark.parametrize("number", [0, 65536, "80", "80;", True, 1.5, None])
def test_what_is_no_port_is_refused(number: Any) -> None:
    assert [problem.property for problem in route_problems(**{**GOOD, "port": number})] == ["port"]
    assert [problem.property for problem in route_problems(**{**GOOD, "paths": {"/a": number}})] == ["paths"]


def test_labels_are_as_long_as_dns_lets_them_be() -> None:
    longest = "a" * 63
    assert f"server_name {longest}.example.com;" in route_text(**{**GOOD, "host": f"{longest}.example.com"})
    with pytest.raises(ValueError, match="host"):
        route_text(**{**GOOD, "host": f"{longest}a.example.com"})
