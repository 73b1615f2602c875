"""Settings in layers: which value wins, and that an error names the file that it stands in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from settings import SettingsError, load_program
from settings.environment import environments_folder
from settings.layers import over
from settings.schema import environment_schema, site_schema

NET = [{"bridge": "vmbr0", "address": "10.77.0.11/24"}]
VM = {"prefix": "vm-x", "first_id": 1100, "networks": NET}


@pytest.fixture
def classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "environments"
    folder.mkdir()
    monkeypatch.setenv("HYPERCOMPOSE_ENVIRONMENTS", str(folder))
    return folder


def write(folder: Path, name: str, **values: Any) -> None:
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(values))


def load(**values: Any) -> Any:
    raw = {"site": "lab", "vms": [VM], **values}
    return load_program("x", {f"hypercompose:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in raw.items()})


def site_defaults(lab_site: Path, values: dict[str, Any]) -> None:
    content = yaml.safe_load(lab_site.read_text())
    lab_site.write_text(yaml.safe_dump({**content, "defaults": values}, sort_keys=False))


def test_the_stack_wins_over_its_class_and_the_class_over_what_it_extends_and_that_over_the_site(
    lab_site: Path, classes: Path
) -> None:
    site_defaults(lab_site, {"vm_defaults": {"cores": 1, "memory_mib": 1024, "disk_gib": 10, "cpu_type": "host"}})
    write(classes, "base", vm_defaults={"cores": 2, "memory_mib": 2048, "disk_gib": 20})
    write(classes, "client", extends="base", vm_defaults={"cores": 4, "memory_mib": 3072})
    vm = load(**{"class": "client", "vms": [{**VM, "cores": 8}]}).vms[0]
    assert (vm.cores, vm.memory_mib, vm.disk_gib, vm.cpu_type) == (8, 3072, 20, "host")


def test_mappings_are_merged_lists_are_replaced_and_null_takes_back() -> None:
    lower = {"a": {"b": 1, "c": [1, 2], "d": {"e": 1}}, "x": 1}
    assert over(lower, {"a": {"c": [3], "d": None}, "y": 2}) == {"a": {"b": 1, "c": [3]}, "x": 1, "y": 2}


def test_a_group_without_a_baseline_stays_without_one(lab_site: Path, classes: Path) -> None:
    write(classes, "base", baseline={"timezone": "Europe/Paris"}, vm_defaults={"cores": 2})
    assert load(**{"class": "base", "vms": [{**VM, "baseline": None}]}).hosts[0].baseline is None
    assert load(**{"class": "base"}).hosts[0].baseline is not None


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"vm_defaults": {"memory_mib": -1}}, "environments/base.yaml: vm_defaults.memory_mib: -1, expected greater"),
        (
            {"vm_defaults": {"memroy_mib": 1}},
            "environments/base.yaml: vm_defaults.memroy_mib: unknown setting; did you",
        ),
        (
            {"baseline": {"timezon": "x"}},
            "environments/base.yaml: baseline.timezon: unknown setting; did you mean `tim",
        ),
        ({"bacelin": {}}, "environments/base.yaml: bacelin: unknown setting; did you mean `baseline`?"),
        ({"site": "main"}, "environments/base.yaml: site: belongs into Pulumi.<stack>.yaml; move it there"),
        ({"extends": "bass"}, "environments/base.yaml: extends: 'bass', expected a class of environments/: base"),
        ({"extends": 3}, "environments/base.yaml: extends: 3, expected the name of a class"),
        ({"extends": "base"}, "environments/base.yaml: extends: base -> base goes in a circle"),
    ],
)
def test_an_error_names_the_file_and_the_path_in_which_the_value_stands(
    lab_site: Path, classes: Path, values: dict[str, Any], line: str
) -> None:
    write(classes, "base", **values)
    with pytest.raises(SettingsError) as refused:
        load(**{"class": "base"})
    assert line in str(refused.value).splitlines()[0]


def test_errors_of_several_layers_come_together(lab_site: Path, classes: Path) -> None:
    site_defaults(lab_site, {"baseline": {"timezone": 3}})
    write(classes, "base", vm_defaults={"cores": 0})
    with pytest.raises(SettingsError) as refused:
        load(**{"class": "base", "vms": [{**VM, "networks": [{"bridge": "$(reboot)"}], "disk_gib": 0}]})
    lines = str(refused.value).splitlines()
    assert any(line.startswith("sites/lab.yaml: defaults.baseline.timezone: 3, expected") for line in lines)
    assert any(line.startswith("environments/base.yaml: vm_defaults.cores: 0, expected") for line in lines)
    assert any(line.startswith("Pulumi.x.yaml: vms[0].disk_gib: 0, expected") for line in lines)


@pytest.mark.parametrize("name", ["nowhere", "../sites/lab", "$(reboot)", "base\n", "Ünicode"])
def test_a_class_that_is_not_there_is_refused_with_those_that_are(lab_site: Path, classes: Path, name: str) -> None:
    write(classes, "base")
    with pytest.raises(SettingsError, match=r"Pulumi\.x\.yaml: class: .*expected a class of environments/: base"):
        load(**{"class": name})


@pytest.mark.parametrize("text", ["[", "- a\n", "a: b: c\n", "just words"])
def test_a_class_that_is_no_mapping_is_refused_by_name(lab_site: Path, classes: Path, text: str) -> None:
    (classes / "base.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"^environments/base\.yaml: "):
        load(**{"class": "base"})


def test_the_classes_of_the_repository_fit_their_schema_and_name_it() -> None:
    schema = Draft202012Validator(environment_schema())
    files = list(environments_folder().glob("*.yaml"))
    assert files
    for file in files:
        assert list(schema.iter_errors(yaml.safe_load(file.read_text()))) == []
        assert file.read_text().startswith("# yaml-language-server: $schema=../docs/schema/environment.schema.json")


def test_the_schemas_know_misspelt_keys_in_layers() -> None:
    assert list(Draft202012Validator(environment_schema()).iter_errors({"bacelin": {}}))
    site = site_schema()["properties"]["defaults"]
    assert "vm_defaults" in site["properties"]
    assert site["additionalProperties"] is False
