"""The lab's site as settings see it, without a lab."""

from pathlib import Path

import pytest


@pytest.fixture
def lab_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's site with a key and a CA that are there without a lab."""
    text = (Path(__file__).parents[2] / "sites" / "lab.yaml").read_text()
    (tmp_path / "docker.asc").write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    text = text.replace(".lab/packages/docker.asc", f"{tmp_path}/docker.asc").replace(
        ".lab/tls/ca.crt", f"{tmp_path}/ca.crt"
    )
    (tmp_path / "lab.yaml").write_text(text)
    monkeypatch.setenv("HYPERCOMPOSE_SITES", str(tmp_path))
    return tmp_path / "lab.yaml"
