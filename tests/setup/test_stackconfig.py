"""A stack on another site: a configuration of its own, without what only the real site can decrypt."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from setup.places import CHECKOUT
from setup.sites import read_site
from setup.stackconfig import config_file, without_secrets
from tests.setup.checkout import SALT, checkout


def test_a_stack_on_its_own_site_uses_its_own_file(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    assert config_file("lab", read_site("lab", root), root) is None
    assert config_file("acceptance", read_site("main", root), root) is None


def test_a_stack_on_the_lab_gets_a_derived_file(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    real = root / "Pulumi.acceptance.yaml"
    real.write_text(
        "encryptionsalt: v1:real\n"
        "config:\n  hypercompose:site: main\n  hypercompose:count: 2\n  hypercompose:token: {secure: v1:x}\n"
        "  hypercompose:deep: {keep: 1, drop: {secure: y}, list: [{secure: z}, 3]}\n"
    )
    before = real.read_bytes()
    file = config_file("acceptance", read_site("lab", root), root)
    assert file == root / ".lab" / "config" / "Pulumi.acceptance.yaml"
    assert yaml.safe_load(file.read_text()) == {
        "encryptionsalt": SALT,
        "config": {
            "hypercompose:site": "lab",
            "hypercompose:count": 2,
            "hypercompose:deep": {"keep": 1, "list": [3]},
            "hypercompose:stack": "acceptance",
        },
    }
    assert "Pulumi.acceptance.yaml" in file.read_text().splitlines()[0]
    assert real.read_bytes() == before


def test_a_changed_setting_arrives(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    site = read_site("lab", root)
    config_file("acceptance", site, root)
    (root / "Pulumi.acceptance.yaml").write_text("config: {hypercompose:site: main, hypercompose:count: 9}\n")
    file = config_file("acceptance", site, root)
    assert file is not None
    assert yaml.safe_load(file.read_text())["config"]["hypercompose:count"] == 9


@pytest.mark.parametrize("value", [None, 3, "secure", {"secure": "a", "other": 1}])
def test_what_is_not_encrypted_stays(value: object) -> None:
    assert without_secrets({"k": value}) == {"k": value}


def test_the_committed_salt_is_there() -> None:
    config = yaml.safe_load((CHECKOUT / "Pulumi.lab.yaml").read_text())
    assert config["encryptionsalt"].startswith("v1:"), "without it every `up` would change a file of git"
