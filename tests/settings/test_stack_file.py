"""A stack's file without the engine: the same text, but for what is encrypted; and as much of it as can be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import SettingsError, load_program
from settings.program import read_program
from settings.stack_file import ENCRYPTED, read_stack_file

VM: dict[str, Any] = {"name": "vm-a", "first_id": 1100, "networks": [{"bridge": "vmbr0", "address": "10.77.0.11/24"}]}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "Pulumi.dev.yaml"
    monkeypatch.setenv("PULUMI_OPTION_CONFIG_FILE", str(found))
    return found


def test_it_reads_as_the_engine_hands_it_over(file: Path, lab_site: Path) -> None:
    file.write_text(
        yaml.safe_dump({"config": {"hypercompose:site": "lab", "hypercompose:vms": [VM], "x:y": True, "x:n": 5}})
    )
    raw = read_stack_file("dev").raw
    assert (raw["hypercompose:site"], raw["x:y"], raw["x:n"]) == ("lab", "true", "5")
    assert load_program("dev", raw).vms[0].vm_id == 1100


def test_an_encrypted_value_is_there_and_cannot_be_read(file: Path) -> None:
    secure = {"secure": "v1:abc"}
    values = {"a:b": secure, "a:c": {"x": {"y": secure, "z": "plain"}}, "a:d": [secure], "a:e": "plain $(reboot)"}
    file.write_text(yaml.safe_dump({"config": values}))
    found = read_stack_file("dev")
    assert found.secret("a:b") == ENCRYPTED
    assert found.values["a:c"] == {"x": {"y": ENCRYPTED, "z": "plain"}}
    assert found.values["a:d"] == [ENCRYPTED]
    assert found.secret("a:e") == "plain $(reboot)"
    assert found.secret("a:nope") is None
    assert "v1:abc" not in str(found.raw)


@pytest.mark.parametrize("text", ["- a list", "config: [1]", "config: {a: [}", "\x00"])
def test_what_is_no_settings_file_is_refused_by_name(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"Pulumi\.dev\.yaml: config: not settings by name"):
        read_stack_file("dev")


def test_a_file_that_is_not_there_names_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"is not there; there are settings of: acceptance, .*lab"):
        read_stack_file("$(reboot)")


RAW = {"hypercompose:site": "lab"}


@pytest.mark.parametrize(
    ("raw", "bad", "vms"),
    [
        ({"hypercompose:vms": '[{"name": "a"}]'}, ["settings"], 0),
        ({"hypercompose:vmz": "[]"}, ["settings"], 0),
        ({"hypercompose:vms": '[{"name": "a", "first_id": 100, "networks": [{"bridge": "nope"}]}]'}, ["vms"], 0),
        ({"hypercompose:stacks": '{"a": {"inline": "services: {}"}}'}, ["stacks"], 1),
        ({"hypercompose:docker": '{"version": "0"}'}, ["hosts"], 1),
    ],
)
def test_one_bad_part_leaves_those_before_it(raw: dict[str, str], bad: list[str], vms: int, lab_site: Path) -> None:
    good = {"hypercompose:vms": json.dumps([VM])} if vms else {}
    whole = {**RAW, **good, **raw}
    reading = read_program("dev", whole)
    assert list(reading.errors) == bad
    assert reading.program is not None
    assert reading.program.site.id == "lab"
    assert len(reading.program.vms) == vms
    with pytest.raises(SettingsError):
        load_program("dev", whole)


def test_without_a_site_there_is_no_program(lab_site: Path) -> None:
    reading = read_program("dev", {"hypercompose:site": "no/where"})
    assert reading.program is None
    assert list(reading.errors) == ["site"]
