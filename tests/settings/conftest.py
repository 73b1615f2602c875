"""The lab's site as settings see it, without a lab."""

from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def lab_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's site with a key, a CA and an image lock that are there without a lab."""
    text = (CHECKOUT / "sites" / "lab.yaml").read_text()
    (tmp_path / "docker.asc").write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    text = text.replace(".lab/packages/docker.asc", f"{tmp_path}/docker.asc").replace(
        ".lab/tls/ca.crt", f"{tmp_path}/ca.crt"
    )
    keys = ["portainer", *(folder.name for folder in (CHECKOUT / "images").iterdir())]
    images = {key: {"repository": f"hypercompose/{key}", "digest": f"sha256:{'0f' * 32}"} for key in keys}
    lock = tmp_path / "site.images.yaml"
    lock.write_text(yaml.safe_dump({"registry": "registry.lab.internal:5000", "images": images}))
    text = text.replace("lock: .lab/images.lock.yaml", f"lock: {lock}")
    (tmp_path / "lab.yaml").write_text(text)
    monkeypatch.setenv("HYPERCOMPOSE_SITES", str(tmp_path))
    return tmp_path / "lab.yaml"
