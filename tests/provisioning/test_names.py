"""Names, as this machine and as a given name server resolve them."""

from __future__ import annotations

import time
from typing import Any

import dns.resolver
import pytest

from provisioning import names
from provisioning.names import NameServerSilent, NameUnknown, is_address, resolved_at, resolved_here
from tests.provisioning.name_server import serving


@pytest.fixture
def at_port(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every resolver asks at the port put in here."""
    chosen: list[int] = []
    original = dns.resolver.Resolver.__init__

    def changed(self: dns.resolver.Resolver, **more: Any) -> None:
        original(self, **more)
        self.port = chosen[0]

    monkeypatch.setattr(dns.resolver.Resolver, "__init__", changed)
    return chosen


def test_a_name_server_is_asked_itself(at_port: list[int]) -> None:
    with serving({"registry.site.test": "192.0.2.7"}) as port:
        at_port.append(port)
        assert resolved_at("registry.site.test", "127.0.0.1") == ["192.0.2.7"]
        with pytest.raises(NameUnknown, match=r"127\.0\.0\.1 knows no git\.site\.test"):
            resolved_at("git.site.test", "127.0.0.1")


def test_one_that_says_nothing_is_not_one_that_says_no(at_port: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "PATIENCE_S", 0.3)
    with serving({}, silent=True) as port:
        at_port.append(port)
        began = time.monotonic()
        with pytest.raises(NameServerSilent):
            resolved_at("registry.site.test", "127.0.0.1")
        assert time.monotonic() - began < 2


def test_this_machine_knows_itself_and_no_nonsense() -> None:
    assert "127.0.0.1" in resolved_here("localhost")
    for nonsense in ("no-such-name.invalid", "a..b", "x" * 70, "$(reboot)"):
        with pytest.raises(NameUnknown):
            resolved_here(nonsense)


def test_an_address_is_no_name() -> None:
    assert is_address("10.0.0.1")
    assert is_address("[2001:db8::1]")
    assert not is_address("10.0.0.example")
