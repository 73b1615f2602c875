"""Site files."""

from pathlib import Path

import pytest

from settings import SettingsError, load_site
from settings.site import parse_site

LAB = (Path(__file__).parents[2] / "sites" / "lab.yaml").read_text()


@pytest.mark.parametrize("name", ["lab", "main"])
def test_the_site_files_in_the_repository_are_valid(name: str) -> None:
    assert load_site(name).id == name


def test_an_unknown_site_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="known sites: lab, main"):
        load_site("elsewhere")


def test_site_files_may_live_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.yaml").write_text(LAB.replace("id: lab", "id: other"))
    monkeypatch.setenv("HYPERCOMPOSE_SITES", str(tmp_path))
    assert load_site("other").id == "other"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("https://127.0.0.1:18006", "http://127.0.0.1:18006", "proxmox.endpoint.*an https:// address"),
        ("nodes: [pve1, pve2]", "nodes: []", "proxmox.nodes"),
        ("    iso: local\n", "", "proxmox.storages.iso: missing"),
        ("domain:", "domian:", "domian: unknown setting; did you mean `domain`"),
        ("10.77.0.0/24", "10.77.0.0/33", "proxmox.bridges.vmbr0.cidr"),
        ("id: lab", "id: [", "not YAML"),
    ],
)
def test_a_wrong_site_file_names_file_and_field(old: str, new: str, message: str) -> None:
    assert old in LAB
    with pytest.raises(SettingsError, match=f"sites/x.yaml: {message}"):
        parse_site("sites/x.yaml", LAB.replace(old, new, 1))


def test_missing_public_keys_name_the_file(tmp_path: Path) -> None:
    site = parse_site("x", LAB.replace(".lab/ssh/id_ed25519.pub", str(tmp_path / "none.pub")))
    with pytest.raises(SettingsError, match=r"ssh.public_keys: .*none.pub holds no public key; .*ssh-keygen"):
        site.authorized_keys()


def test_public_keys_come_from_the_file_without_comments(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# team\nssh-ed25519 AAAA a\n\nssh-ed25519 BBBB b\n")
    site = parse_site("x", LAB.replace(".lab/ssh/id_ed25519.pub", str(keys)))
    assert site.authorized_keys() == ("ssh-ed25519 AAAA a", "ssh-ed25519 BBBB b")
