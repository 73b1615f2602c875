"""What a compose file of compose/ refers to is declared in it, and what is declared is used."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from settings.project import DECLARATION, FOLDER, MAIN, Project
from tests.compose.test_projects import PROJECTS, VARIABLE, content


@pytest.fixture(params=PROJECTS)
def project(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def services(project: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = content(project)["services"]
    return found


def used(project: str, part: str) -> set[str]:
    return {name for service in services(project).values() for name in service.get(part, [])}


def test_networks_are_declared_and_used(project: str) -> None:
    assert all(service.get("networks") for service in services(project).values())
    assert used(project, "networks") == set(content(project)["networks"])


def test_volumes_are_declared_and_used(project: str) -> None:
    mounted = {mount.partition(":")[0] for mount in used(project, "volumes")}
    assert mounted == set(content(project).get("volumes") or {})
    assert not any("docker.sock" in mount or mount.startswith(("/", ".", "~")) for mount in used(project, "volumes"))


def test_secrets_are_declared_and_used(project: str) -> None:
    assert used(project, "secrets") == set(content(project).get("secrets") or {})


def test_networks_and_volumes_are_the_projects_own(project: str) -> None:
    for part in ("networks", "volumes"):
        for entry in (content(project).get(part) or {}).values():
            assert not set(entry or {}) & {"external", "name", "driver", "driver_opts"}


def test_a_service_waits_for_others_until_they_are_healthy(project: str) -> None:
    for service in services(project).values():
        for name, how in service.get("depends_on", {}).items():
            assert name in services(project) and how == {"condition": "service_healthy"}


def test_a_service_without_published_ports_may_be_on_a_network_without_a_way_out(project: str) -> None:
    inner = {name for name, entry in content(project)["networks"].items() if (entry or {}).get("internal")}
    for name, service in services(project).items():
        assert not service.get("ports") or not set(service["networks"]) <= inner, name


def test_writable_places_in_memory_have_a_size(project: str) -> None:
    for place in used(project, "tmpfs"):
        assert re.search(r":size=\d+m", place), place


def test_defaults_of_the_compose_file_are_those_of_the_declaration(project: str) -> None:
    text = (FOLDER / project / MAIN).read_text()
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    assert defaults == {name: found.default for name, found in Project(project).declared.parameters.items()}
    assert set(VARIABLE.findall(text)) - {"SECRETS"} == set(defaults)


def test_parameters_are_described_and_ports_have_a_health_path(project: str) -> None:
    declared = Project(project).declared
    assert all(found.description.endswith(".") for found in declared.parameters.values())
    assert all(port.health for port in declared.ports.values())


def test_a_project_has_its_folders_name_and_only_its_own_files_are_published(project: str) -> None:
    assert content(project)["name"] == project
    files = Project(project).rendered(lambda key: f"r/{key}@sha256:0", {})
    assert MAIN in files and DECLARATION not in files
    assert yaml.safe_load(files[MAIN]).get("secrets") == content(project).get("secrets")
