"""A checkout with a lab of its own and its state in a bucket."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.dead_runs import claim
from tests.lab.checkout import Checkout, OwnLab, copy_checkout
from tests.s3 import KEYS

LAB = OwnLab(site="lab-s3", net="10.93", port=18193)


@contextmanager
def team_checkout(backend: str, *stacks: str) -> Iterator[Checkout]:
    """With stacks that have no VM: the site is claimed, and that is all."""
    base = Path(tempfile.mkdtemp(prefix="hypercompose-s3-"))
    claim(base)
    found = copy_checkout(base / "checkout", LAB, KEYS)
    file = found.folder / "sites" / f"{LAB.site}.yaml"
    site = yaml.safe_load(file.read_text())
    site["state"]["backend"] = backend
    file.write_text(yaml.safe_dump(site))
    for stack in stacks:
        settings = {"config": {"hypercompose:site": LAB.site, "hypercompose:vms": []}}
        (found.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings))
    try:
        yield found
    finally:
        purged = found.make("lab-purge", stack=LAB.site)
        assert purged.code == 0, purged.why
        shutil.rmtree(base)
