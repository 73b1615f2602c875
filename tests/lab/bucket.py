"""The checkout with its state in a bucket."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.lab.checkout import SITE, Checkout
from tests.s3 import KEYS


def on_bucket(checkout: Checkout, backend: str, folder: Path) -> Checkout:
    """The same checkout and lab; only the state is elsewhere."""
    site = yaml.safe_load((checkout.folder / "sites" / f"{SITE}.yaml").read_text())
    site["state"]["backend"] = backend
    folder.mkdir(exist_ok=True)
    (folder / f"{SITE}.yaml").write_text(yaml.safe_dump(site))
    return Checkout(checkout.folder, {"HYPERCOMPOSE_SITES": str(folder), **KEYS})


def add_stack(checkout: Checkout, stack: str) -> None:
    """A stack without any VM: the site is claimed, and that is all."""
    settings = {"config": {"hypercompose:site": SITE, "hypercompose:vms": []}}
    (checkout.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings))
