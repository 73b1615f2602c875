"""Every test starts without the settings of the person who runs it."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("HYPERCOMPOSE_", "PULUMI_", "PROXMOX_VE_")):
            monkeypatch.delenv(name)
