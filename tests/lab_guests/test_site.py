"""Which lab a command means, its folder, its keys."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from lab.__main__ import main
from lab.keys import ensure_ssh_key, ensure_tls, system_roots
from lab.site import load_site
from setup.report import SetupError
from tests.lab_guests.sites import make_lab


def test_the_site_and_folder_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = make_lab(tmp_path, "fromenv", "10.95", port=18000)
    lab.site.file.rename(tmp_path / "lab.yaml")
    monkeypatch.setenv("HYPERCOMPOSE_SITES", str(tmp_path))
    monkeypatch.setenv("LAB_DIR", str(tmp_path / "there"))
    site = load_site()
    assert (site.lab.site, site.directory, site.domain) == ("fromenv", tmp_path / "there", "test.internal")
    assert site.endpoint == "https://127.0.0.1:18000"


def test_a_missing_site_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", f"--site={tmp_path / 'none.yaml'}"]) == 1
    assert (
        capsys.readouterr().err == f"lab: {tmp_path / 'none.yaml'}: there is no such site file; name one with --site.\n"
    )


def test_a_folder_belongs_to_one_site(tmp_path: Path) -> None:
    first, second = make_lab(tmp_path / "a", "one", "10.95"), make_lab(tmp_path / "b", "two", "10.95")
    assert first.site.claim_folder() and not first.site.claim_folder()
    assert first.site.directory.stat().st_mode & 0o777 == 0o700
    other = load_site(second.site.file, first.site.directory)
    with pytest.raises(SetupError, match="holds the lab of site one"):
        other.claim_folder()


def test_certificates_are_made_once_and_trusted_by_the_bundle(tmp_path: Path) -> None:
    ensure_tls(tmp_path, {"server": ["127.0.0.1"]})
    made = (tmp_path / "server.crt").read_bytes()
    ensure_tls(tmp_path, {"server": ["127.0.0.1"]})
    assert (tmp_path / "server.crt").read_bytes() == made
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ca.crt").read_text() in (tmp_path / "bundle.crt").read_text()
    context = ssl.create_default_context(cafile=str(tmp_path / "bundle.crt"))
    assert any("Hypercompose lab CA" in str(ca["subject"]) for ca in context.get_ca_certs())


def test_another_host_gets_another_certificate(tmp_path: Path) -> None:
    ensure_tls(tmp_path, {"server": ["127.0.0.1"]})
    made = (tmp_path / "server.crt").read_bytes()
    ensure_tls(tmp_path, {"server": ["pve.lab.internal"]})
    assert (tmp_path / "server.crt").read_bytes() != made


def test_our_own_bundle_is_not_taken_for_the_machines_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("ours")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert "ours" not in system_roots(bundle)


def test_the_ssh_key_is_private_and_kept(tmp_path: Path) -> None:
    key = tmp_path / "ssh" / "id_ed25519"
    ensure_ssh_key(key)
    made = key.read_bytes()
    ensure_ssh_key(key)
    assert key.read_bytes() == made and key.stat().st_mode & 0o777 == 0o600
    assert key.with_suffix(".pub").read_text().startswith("ssh-ed25519 ")
