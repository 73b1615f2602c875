"""A checkout with a lab of its own and its state in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from tests.lab.checkout import Checkout, OwnLab, own_checkout
from tests.s3 import KEYS

LAB = OwnLab(site="lab-s3", net="10.93", port=18193)


@contextmanager
def team_checkout(backend: str, *stacks: str) -> Iterator[Checkout]:
    """With stacks that have no VM: the site is claimed, and that is all."""
    with own_checkout(LAB, KEYS) as found:
        file = found.folder / "sites" / f"{LAB.site}.yaml"
        site = yaml.safe_load(file.read_text())
        site["state"]["backend"] = backend
        file.write_text(yaml.safe_dump(site))
        for stack in stacks:
            settings = {"config": {"hypercompose:site": LAB.site, "hypercompose:vms": []}}
            (found.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings))
        yield found
