"""The JSON Schemas in the repository."""

import pytest

from settings.schema import files, stack_schema
from settings.site import CHECKOUT


def test_the_files_are_those_that_the_types_generate() -> None:
    for path, text in files().items():
        assert path.read_text() == text, f"{path.name} is old: run `python -m settings.schema`"


def test_a_misspelt_key_is_refused_and_other_packages_keys_are_not() -> None:
    config = stack_schema()["properties"]["config"]
    assert config["additionalProperties"] is False
    assert config["patternProperties"] == {"^(?!hypercompose:)": {}}


@pytest.mark.parametrize("folder", ["", "sites"])
def test_every_settings_file_points_its_editor_at_its_schema(folder: str) -> None:
    names = [p for p in (CHECKOUT / folder).glob("*.yaml") if folder or p.name.startswith("Pulumi.")]
    for path in names:
        assert path.name == "Pulumi.yaml" or "# yaml-language-server: $schema=" in path.read_text(), path.name
