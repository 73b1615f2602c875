"""bitbucket-pipelines.yml: valid by the published schema, and one run at a time for each stack."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from setup.commands import WITHOUT_STACK
from setup.driver import COMMANDS
from setup.exports import read_exports
from setup.places import CHECKOUT

TEXT = (CHECKOUT / "bitbucket-pipelines.yml").read_text()
PIPELINES: dict[str, Any] = yaml.safe_load(TEXT)
SCHEMA = json.loads(
    files("check_jsonschema").joinpath("builtin_schemas", "vendor", "bitbucket-pipelines.json").read_text()
)


def steps(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item["step"] for item in items if "step" in item]


def all_steps() -> Iterator[dict[str, Any]]:
    for kind in ("pull-requests", "branches", "custom"):
        for items in PIPELINES["pipelines"][kind].values():
            yield from steps(items)


def test_the_published_schema_takes_it() -> None:
    jsonschema.validate(PIPELINES, SCHEMA)


@pytest.mark.parametrize("wrong", [{"concurrency-group": 3}, {"deployment": []}, {"script": 3}])
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, Any]) -> None:
    step = {"script": ["true"], **wrong}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"pipelines": {"default": [{"step": step}]}}, SCHEMA)


def test_pull_requests_are_checked_and_reviewed_and_bring_nothing_up() -> None:
    (items,) = PIPELINES["pipelines"]["pull-requests"].values()
    scripts = "\n".join(line for step in steps(items) for line in step["script"])
    assert "make check" in scripts
    assert re.search(r"make review .*--base .*--post", scripts)
    assert "make up" not in scripts
    assert not any("deployment" in step for step in steps(items))


def test_main_brings_up_the_chosen_environments_only() -> None:
    scripts = [line for step in steps(PIPELINES["pipelines"]["branches"]["main"]) for line in step["script"]]
    made = [line for line in scripts if line.startswith("make")]
    assert made == ["make check", "make up STACK=acceptance ARGS=--yes", "make up STACK=integration ARGS=--yes"]


def test_every_step_that_changes_a_stack_runs_alone() -> None:
    groups: dict[str, str] = {}
    for step in all_steps():
        ups = [found[1] for line in step["script"] if (found := re.search(r"make up STACK=(\S+)", line))]
        assert len(ups) <= 1
        if ups:
            assert step["deployment"]
            assert len(step["concurrency-group"]) <= 50
            assert groups.setdefault(step["concurrency-group"], ups[0]) == ups[0]
    assert len(groups) == 3


def test_a_client_is_brought_up_by_hand_after_a_preview() -> None:
    (variables, *_), found = (
        PIPELINES["pipelines"]["custom"]["up-client"],
        steps(PIPELINES["pipelines"]["custom"]["up-client"]),
    )
    assert [variable["name"] for variable in variables["variables"]] == ["STACK"]
    assert "make review" in found[0]["script"][-1]
    assert found[1]["trigger"] == "manual"


def test_every_target_that_is_called_exists() -> None:
    targets = set(re.findall(r"make ([a-z-]+)", "\n".join(line for step in all_steps() for line in step["script"])))
    assert targets <= {*COMMANDS, *WITHOUT_STACK}


def test_no_secret_is_written_down() -> None:
    assert not re.search(r"(?i)(password|token|secret)\s*[:=]", TEXT)


def test_every_step_that_reaches_a_site_has_its_credentials_first() -> None:
    for step in all_steps():
        if any("make up" in line or "make review" in line for line in step["script"]):
            assert step["script"][0] == ".ci/site main"
            assert "self.hosted" in step["runs-on"]


def runner(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [str(CHECKOUT / ".ci" / "site"), "main"], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("secret", ["plain", "$(reboot) 'quoted' \"x\" é", "-n"])
def test_a_runner_gets_what_set_up_reads(tmp_path: Path, secret: str) -> None:
    home = tmp_path / "it's a home"
    key = base64.b64encode(b"-----BEGIN KEY-----\nx\n").decode()
    done = runner(home, HYPERCOMPOSE_PASSPHRASE=secret, HYPERCOMPOSE_SSH_KEY_BASE64=key)
    folder = home / ".config" / "hypercompose" / "main"
    assert done.returncode == 0, done.stderr
    assert (folder / "passphrase").read_text() == secret
    assert read_exports(folder / "credentials.env") == {"HYPERCOMPOSE_SSH_KEY_FILE": str(folder / "id_ed25519")}
    assert (folder / "id_ed25519").read_bytes().endswith(b"\nx\n")
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert secret not in done.stdout + done.stderr


def test_a_runner_without_the_passphrase_makes_none_up(tmp_path: Path) -> None:
    done = runner(tmp_path)
    assert done.returncode == 1
    assert "HYPERCOMPOSE_PASSPHRASE is not set" in done.stderr
    assert list(tmp_path.iterdir()) == []
