"""A new stack from another: what it takes over, what it has of its own, and that nothing is half made."""

from __future__ import annotations

from pathlib import Path

import pytest

from delivery.environments.catalog import environment
from delivery.environments.new_stack import Wish, new_stack
from settings.errors import SettingsError
from tests.delivery.environments.conftest import write


def made(checkout: Path, name: str = "casino-x", source: str = "acceptance", **more: str) -> tuple[str, list[str]]:
    file, notes = new_stack(Wish(name=name, source=source, **more), checkout)
    return file.read_text(), notes


def test_it_has_names_ids_and_addresses_of_its_own_and_keeps_comments(checkout: Path) -> None:
    text, notes = made(checkout)
    assert [line.split("#")[1] for line in text.splitlines() if "prefix: vm-casino-x-app" in line] == [" the fifth one"]
    assert "first_id: 3100" in text  # past every id of the site's stacks
    assert "address: 10.77.10.13/24" in text  # .11 and .12 are taken
    assert text.startswith("# yaml-language-server: $schema=docs/schema/stack.schema.json")
    assert any("BRIDGE=" in note for note in notes)
    found = environment("casino-x", checkout)
    assert found.error is None
    assert found.hosts() == ("vm-casino-x-app-1", "vm-casino-x-app-2")


def test_secrets_of_the_other_are_left_out_and_named(checkout: Path) -> None:
    text, notes = made(checkout)
    assert "secure" not in text
    assert "encryptionsalt" not in text
    assert any("pulumi config set --secret hypercompose:registry_password" in note for note in notes)


def test_on_another_bridge_sources_follow_its_network(checkout: Path) -> None:
    text, _ = made(checkout, bridge="bridge-dev", environment_class="client")
    assert "bridge: bridge-dev" in text
    assert "address: 10.77.30.11/24" in text
    assert "sources: [10.77.30.0/24]" in text
    assert "hypercompose:class: client" in text


def test_two_new_ones_do_not_meet(checkout: Path) -> None:
    first, second = made(checkout)[0], made(checkout, "casino-y")[0]
    assert "first_id: 3100" in first
    assert "first_id: 3200" in second
    assert "address: 10.77.10.13/24" in first
    assert "address: 10.77.10.15/24" in second


@pytest.mark.parametrize(
    ("name", "source", "more", "said"),
    [
        ("Casino", "acceptance", {}, "NAME: 'Casino', expected small letters"),
        ("$(reboot)", "acceptance", {}, "NAME: '$(reboot)', expected"),
        ("../x", "acceptance", {}, "NAME: '../x', expected"),
        ("x\n", "acceptance", {}, "NAME: 'x\\n', expected"),
        ("small", "acceptance", {}, "NAME: Pulumi.small.yaml is there already"),
        ("x", "nowhere", {}, "Pulumi.nowhere.yaml: is not there; there are: acceptance, small"),
        ("x", "acceptance", {"bridge": "vmbr9"}, "BRIDGE: 'vmbr9', expected one of"),
        ("x", "acceptance", {"environment_class": "noble"}, "CLASS: 'noble', expected one of"),
        ("x", "acceptance", {"site": "nowhere"}, "'nowhere' has no file"),
        ("x", "wrong", {}, "FROM: the settings of wrong are wrong themselves"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    checkout: Path, name: str, source: str, more: dict[str, str], said: str
) -> None:
    if source == "wrong":
        write(checkout, "wrong", vms=[{"prefix": "x"}])
    before = {file.name: file.read_bytes() for file in checkout.iterdir()}
    with pytest.raises(SettingsError) as refused:
        new_stack(Wish(name=name, source=source, **more), checkout)
    assert said in str(refused.value)
    assert {file.name: file.read_bytes() for file in checkout.iterdir()} == before


def test_a_network_without_room_is_refused(checkout: Path) -> None:
    write(
        checkout,
        "full",
        vms=[
            {
                "prefix": "f",
                "count": 120,
                "first_id": 5001,
                "networks": [{"bridge": "vmbr0", "address": "10.77.0.12/24"}],
            },
            {
                "prefix": "g",
                "count": 122,
                "first_id": 5201,
                "networks": [{"bridge": "vmbr0", "address": "10.77.0.132/24"}],
            },
        ],
    )
    write(
        checkout,
        "many",
        vms=[
            {
                "prefix": "many",
                "count": 50,
                "first_id": 6001,
                "networks": [{"bridge": "bridge-dev", "address": "10.77.30.11/24"}],
            }
        ],
    )
    with pytest.raises(SettingsError, match=r"BRIDGE: 10\.77\.0\.0/24 has no 50 free addresses in a row"):
        new_stack(Wish(name="more", source="many", bridge="vmbr0"), checkout)
