"""`python -m lab qemu up|down`: the guest with a kernel of its own, beside a running lab."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lab.network import marked_devices
from lab.qemu.guest import QemuGuest, down
from lab.site import Site
from setup.report import SetupError


def command(site: Site, words: Sequence[str]) -> None:
    """Boot the guest and say as JSON how to reach it, or pull its plug."""
    if list(words) == ["down"]:
        down(site.lab)
    elif list(words) != ["up"]:
        raise SetupError(f"qemu: expected up or down, found {' '.join(words)!r}.")
    elif not marked_devices(site.lab):
        raise SetupError(f"lab {site.lab.site}: is off; run `python -m lab up` first.")
    else:
        print(json.dumps(QemuGuest(site).up(), indent=1))
