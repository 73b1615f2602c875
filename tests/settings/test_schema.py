"""The JSON Schemas and the reference in the repository."""

import pytest

from settings.reference import models
from settings.schema import files, stack_schema
from settings.site import CHECKOUT, Model, Site
from settings.stack import StackSettings


def test_the_files_are_those_that_the_types_generate() -> None:
    for path, text in files().items():
        assert path.read_text() == text, f"{path.name} is old: run `python -m settings.schema`"


@pytest.mark.parametrize("model", [*models(StackSettings), *models(Site)])
def test_every_setting_says_what_it_means(model: type[Model]) -> None:
    assert model.__doc__
    assert [name for name, info in model.model_fields.items() if not info.description] == []


def test_a_misspelt_key_is_refused_and_other_packages_keys_are_not() -> None:
    config = stack_schema()["properties"]["config"]
    assert config["additionalProperties"] is False
    assert config["patternProperties"] == {"^(?!hypercompose:)": {}}


@pytest.mark.parametrize("folder", ["", "sites"])
def test_every_settings_file_points_its_editor_at_its_schema(folder: str) -> None:
    names = [p for p in (CHECKOUT / folder).glob("*.yaml") if folder or p.name.startswith("Pulumi.")]
    for path in names:
        assert path.name == "Pulumi.yaml" or "# yaml-language-server: $schema=" in path.read_text(), path.name
