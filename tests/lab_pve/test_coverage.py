"""Every simulated call has a test that makes it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from lab.pve.calls import load
from lab.pve.routing import ROUTES
from tests import lab_pve
from tests.lab_pve import official

COVERED_BY_PATTERN = {
    "test_ha_objects": ("/cluster/ha/",),
    "test_firewall_options_and_rules": ("/cluster/firewall/", "/nodes/{node}/qemu/{vmid}/firewall/"),
}
"""Parametrized tests that make all calls below a path."""


def _claimed() -> set[str]:
    claimed: set[str] = set()
    for module in pkgutil.iter_modules([str(Path(lab_pve.__file__).parent)]):
        if module.name.startswith("test_") and module.name != __name__.rpartition(".")[2]:
            for item in vars(importlib.import_module(f"tests.lab_pve.{module.name}")).values():
                claimed.update(getattr(item, "covered_routes", ()))
    return claimed


def test_every_route_is_claimed_by_a_test() -> None:
    load()
    prefixes = tuple(prefix for group in COVERED_BY_PATTERN.values() for prefix in group)
    routes = {f"{route.method} {route.pattern}" for route in ROUTES if not route.pattern.startswith(prefixes)}
    assert routes - _claimed() == set()
    assert _claimed() - routes == set()


def test_every_route_is_one_of_the_official_api() -> None:
    load()
    unknown = [f"{r.method} {r.pattern}" for r in ROUTES if official.method(r.method, r.pattern) is None]
    assert unknown == []
