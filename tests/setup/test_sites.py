"""Sites: found by name, read with care, refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup.report import SetupError
from setup.sites import read_site, site_of
from setup.state.retention import Keep
from tests.setup.checkout import checkout


def test_the_labs_state_is_a_folder_of_the_checkout(tmp_path: Path) -> None:
    site = read_site("lab", checkout(tmp_path))
    assert site.backend == f"file://{tmp_path}/.lab/state"
    assert site.credentials == tmp_path / ".lab" / "credentials.env"
    assert site.is_lab


def test_a_site_says_which_exports_stay(tmp_path: Path) -> None:
    assert read_site("lab", checkout(tmp_path)).keep == Keep(last=20, days=30)
    (tmp_path / "sites" / "main.yaml").write_text("id: main\nstate: {backend: 's3://b', keep: {days: 90}}\n")
    assert read_site("main", tmp_path).keep == Keep(last=20, days=90)


def test_a_bucket_stays_as_it_is(tmp_path: Path) -> None:
    site = read_site("main", checkout(tmp_path))
    assert site.backend == "s3://state?region=eu"
    assert (site.is_lab, site.passphrase, site.credentials) == (False, None, None)


def test_a_home_folder_is_meant_by_a_tilde(tmp_path: Path, own_home: Path) -> None:
    (checkout(tmp_path) / "sites" / "main.yaml").write_text(
        "id: main\nstate: {backend: 'file://~/state'}\ncredentials: ~/main/credentials.env\n"
    )
    site = read_site("main", tmp_path)
    assert site.backend == f"file://{own_home}/state"
    assert site.credentials == own_home / "main" / "credentials.env"


@pytest.mark.parametrize(("name", "is_lab"), [("lab", True), ("lab-two", True), ("labour", False), ("collab", False)])
def test_labs_are_called_so(tmp_path: Path, name: str, is_lab: bool) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / f"{name}.yaml").write_text(f"id: {name}\nstate: {{backend: 'file:///x'}}\n")
    assert read_site(name, tmp_path).is_lab is is_lab


def test_an_unknown_site_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"SITE=other: .*lab, main"):
        read_site("other", checkout(tmp_path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id: another\nstate: {backend: 's3://b'}", "expected 'odd'"),
        ("id: odd", "state.backend"),
        ("id: odd\nstate: {backend: state}", "state.backend"),
        ("id: odd\nstate: {backend: 's3://b', passphrase: x}", "labs only"),
        ("id: odd\nstate: {backend: 's3://b', keep: 20}", "state.keep"),
        ("id: odd\nstate: {backend: 's3://b', keep: {last: 0}}", "state.keep"),
        ("id: odd\nstate: {backend: 's3://b', keep: {days: -1}}", "state.keep"),
        ("id: odd\nstate: {backend: 's3://b', keep: {last: true}}", "state.keep"),
        ("id: odd\nstate: {backend: 's3://b', keep: {last: '20'}}", "state.keep"),
        ("id: odd\nstate: {backend: 's3://b', keep: {week: 1}}", "state.keep"),
        ("- a", "expected settings"),
        ("id: [", "not valid YAML"),
    ],
)
def test_a_bad_site_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "odd.yaml").write_text(text)
    with pytest.raises(SetupError, match=says):
        read_site("odd", tmp_path)


def test_a_stack_names_its_site(tmp_path: Path) -> None:
    assert site_of("acceptance", checkout(tmp_path)) == "main"


def test_an_unknown_stack_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"STACK=x: .*acceptance, lab"):
        site_of("x", checkout(tmp_path))


def test_a_stack_without_a_site_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.x.yaml").write_text("config: {}\n")
    with pytest.raises(SetupError, match="hypercompose:site"):
        site_of("x", tmp_path)


def test_site_files_may_live_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far.yaml").write_text("id: far\nstate: {backend: 's3://bucket'}\n")
    monkeypatch.setenv("HYPERCOMPOSE_SITES", str(tmp_path))
    assert read_site("far").file == tmp_path / "far.yaml"
