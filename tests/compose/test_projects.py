"""What holds for every project of compose/ before anything of it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.services.own_images import FOLDER as IMAGES
from provisioning.images.build import keys_in
from settings.project import FOLDER, Project

PROJECTS = sorted(file.parent.name for file in FOLDER.glob("*/compose.yaml"))
SERVICES = [
    pytest.param(project, name, id=f"{project}-{name}")
    for project in PROJECTS
    for name in yaml.safe_load((FOLDER / project / "compose.yaml").read_text())["services"]
]
VARIABLE = re.compile(r"\$\{(\w+)")


def content(project: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / project / "compose.yaml").read_text())
    return found


def service(project: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = content(project)["services"][name]
    return found


def test_there_are_projects() -> None:
    assert "guestbook" in PROJECTS


@pytest.mark.parametrize(("project", "name"), SERVICES)
def test_a_service_is_confined(project: str, name: str) -> None:
    found = service(project, name)
    assert found["read_only"] is True and found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert not set(found) & {"privileged", "network_mode", "pid", "ipc", "userns_mode", "devices", "cap_add", "build"}
    assert found.get("user") not in ("0", "root", 0)


@pytest.mark.parametrize(("project", "name"), SERVICES)
def test_a_service_has_limits_and_tells_its_health(project: str, name: str) -> None:
    found = service(project, name)
    assert found["mem_limit"] and found["pids_limit"] and found["cpus"]
    assert found["healthcheck"]["test"][0] == "CMD" and found["healthcheck"]["start_period"]
    assert found["restart"] == "unless-stopped" and found["stop_grace_period"]
    assert "logging" not in found  # the daemon's limits hold


@pytest.mark.parametrize(("project", "name"), SERVICES)
def test_an_image_is_a_key_of_ours_and_never_a_tag(project: str, name: str) -> None:
    assert service(project, name)["image"] in keys_in(IMAGES)


@pytest.mark.parametrize(("project", "name"), SERVICES)
def test_only_secrets_come_from_the_hosts_folders(project: str, name: str) -> None:
    volumes, found = content(project).get("volumes") or {}, service(project, name)
    assert all(mount.partition(":")[0] in volumes for mount in found.get("volumes", []))
    assert all(not (options or {}).get("driver_opts") for options in volumes.values())
    assert not set(found.get("env_file", []))


@pytest.mark.parametrize(("project", "name"), SERVICES)
def test_no_variable_carries_a_password(project: str, name: str) -> None:
    for variable, value in service(project, name).get("environment", {}).items():
        assert "PASSWORD" not in variable.upper() or variable.endswith("_FILE")
        assert not re.search(r"password=", str(value), re.IGNORECASE)


@pytest.mark.parametrize("project", PROJECTS)
def test_secrets_are_files_of_the_platforms_folder_and_declared(project: str) -> None:
    declared = Project(project).declared.secrets
    secrets = content(project).get("secrets", {})
    assert set(secrets) == set(declared)
    for name, entry in secrets.items():
        assert re.fullmatch(rf"\$\{{SECRETS:\?[^}}]*\}}/{name}", entry["file"]) and list(entry) == ["file"]


@pytest.mark.parametrize("project", PROJECTS)
def test_variables_are_declared_and_ports_lead_to_what_they_say(project: str) -> None:
    found, declared = Project(project), Project(project).declared
    used = set(VARIABLE.findall((FOLDER / project / "compose.yaml").read_text())) - {"SECRETS"}
    assert used == set(declared.parameters) | {port.variable for port in declared.ports.values()}
    published = [(name, port) for name, one in content(project)["services"].items() for port in one.get("ports", [])]
    for port in declared.ports.values():
        assert any(
            name == port.service and f"${{{port.variable}:-" in text and text.endswith(f":{port.container}")
            for name, text in published
        )
    assert len(published) == len(declared.ports) and found.name == project


@pytest.mark.parametrize("project", PROJECTS)
def test_a_rendered_project_has_digests_and_labels_everywhere(project: str) -> None:
    reference = f"registry.test/team/{{}}@sha256:{'0' * 64}"
    files = Project(project).rendered(reference.format, {"hypercompose.env": "test"})
    rendered = yaml.safe_load(files["compose.yaml"])
    for found in rendered["services"].values():
        assert re.search(r"@sha256:[0-9a-f]{64}$", found["image"]) and found["labels"] == {"hypercompose.env": "test"}


@pytest.mark.parametrize("key", keys_in(IMAGES))
def test_an_image_says_who_runs_it_and_how_it_stops(key: str) -> None:
    lines = (IMAGES / key / "Dockerfile").read_text().splitlines()
    assert re.fullmatch(r"ARG BASE=debian:[a-z]+-slim", lines[0]) and lines[1].startswith("FROM ${BASE}")
    last = {line.split()[0]: line for line in lines if line and line.split()[0].isupper()}
    assert re.fullmatch(r"USER [1-9][0-9]+:[1-9][0-9]+", last["USER"])
    assert {"STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "LABEL", "EXPOSE"} <= set(last)
    assert not any(line.startswith("ADD ") for line in lines)


@pytest.mark.parametrize("program", sorted(Path(IMAGES).glob("*/healthcheck")), ids=lambda file: file.parent.name)
def test_programs_of_images_can_be_started(program: Path) -> None:
    assert program.stat().st_mode & 0o111 == 0o111
