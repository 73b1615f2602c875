"""The site file and lab/world.yaml together."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.world import WorldError, load_world

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "lab").mkdir()
    shutil.copy(CHECKOUT / "sites" / "lab.yaml", tmp_path / "site.yaml")
    shutil.copy(CHECKOUT / "lab" / "world.yaml", tmp_path / "lab" / "world.yaml")
    return tmp_path


def _edit(file: Path, *path: str, to: Any) -> None:
    content = yaml.safe_load(file.read_text())
    place = content
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    file.write_text(yaml.safe_dump(content))


def test_the_labs_own_world_is_whole() -> None:
    world = load_world(CHECKOUT / "sites" / "lab.yaml", CHECKOUT)
    assert [node.name for node in world.nodes] == ["pve1", "pve2"]
    assert {(t.name, t.node) for t in world.templates} >= {("rocky-9", "pve1"), ("debian-13", "pve2")}
    assert "vmbr0" in {bridge.name for bridge in world.bridges}
    assert [(companion.name, companion.shares) for companion in world.companions] == [("app", ("M", "M$"))]


@pytest.mark.parametrize(
    ("file", "path", "to", "message"),
    [
        ("site.yaml", ("proxmox", "endpoint"), "http://x", "site.yaml: proxmox/endpoint: expected https://HOST:PORT"),
        ("site.yaml", ("proxmox", "nodes"), ["pve9"], "world.yaml: nodes/pve9: expected dict, found nothing"),
        ("site.yaml", ("proxmox", "storages", "iso"), "cd", "world.yaml: storages/cd: expected dict, found nothing"),
        ("site.yaml", ("proxmox", "templates", "arch"), {"pve1": 9}, "world.yaml: templates/arch: expected dict"),
        ("site.yaml", ("proxmox", "bridges", "vmbr0"), {}, "site.yaml: proxmox/bridges/vmbr0/cidr: expected str"),
        ("lab/world.yaml", ("nodes", "pve1", "cores"), "many", "nodes/pve1/cores: expected int, found str 'many'"),
        ("lab/world.yaml", ("storages", "local", "shared"), 1, "storages/local/shared: expected bool, found int 1"),
        ("lab/world.yaml", ("companions", "app", "host"), "41", "companions/app/host: expected int, found str '41'"),
    ],
)
def test_an_error_names_file_and_field(files: Path, file: str, path: tuple[str, ...], to: Any, message: str) -> None:
    _edit(files / file, *path, to=to)
    with pytest.raises(WorldError, match=".*" + message.replace("(", r"\(")):
        load_world(files / "site.yaml", files)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"nothing\.yaml: cannot be read"):
        load_world(tmp_path / "nothing.yaml", CHECKOUT)
