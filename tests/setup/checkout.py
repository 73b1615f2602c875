"""A checkout of a test's own, with a lab and a real site."""

from __future__ import annotations

from pathlib import Path

SALT = "v1:c2FsdA==:v1:bm9uY2U=:Y2lwaGVy"
LAB = """\
id: lab
state:
  backend: file://.lab/state
  passphrase: lab
credentials: .lab/credentials.env
"""
REAL = """\
id: main
state:
  backend: s3://state?region=eu
"""


def checkout(folder: Path) -> Path:
    """Two sites, the lab's stack and one of the real site."""
    (folder / "sites").mkdir(parents=True)
    (folder / "sites" / "lab.yaml").write_text(LAB)
    (folder / "sites" / "main.yaml").write_text(REAL)
    (folder / "Pulumi.lab.yaml").write_text(f"encryptionsalt: {SALT}\nconfig:\n  hypercompose:site: lab\n")
    (folder / "Pulumi.acceptance.yaml").write_text("config:\n  hypercompose:site: main\n  hypercompose:count: 2\n")
    return folder
