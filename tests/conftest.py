"""Every test starts without the settings of the person who runs it."""

import os
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.dead_runs import forget_dead_runs

# Lab tests beside them make single examples slow now and then: how long one takes says nothing.
settings.register_profile("beside-labs", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside-labs")


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("HYPERCOMPOSE_", "PULUMI_", "PROXMOX_VE_")):
            monkeypatch.delenv(name)


class _OneWorkerPerSite(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share a lab stay together, in their order: a file, one family of it, or a folder with its own lab."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = re.search(r"lab_(guests|packages|companion)/", file)
        if folder:
            return folder[1]
        family = re.search(r"steps/test_docker.*\[(dnf|apt)\b", nodeid)
        return f"{file} {family[1]}" if family else file


def pytest_sessionstart(session: pytest.Session) -> None:
    """A killed run leaves labs with the networks and ids that this run needs."""
    if not hasattr(session.config, "workerinput"):
        forget_dead_runs()


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadfile` means one worker per site; every other choice is xdist's own."""
    return _OneWorkerPerSite(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes starts first; everything else fills the gaps."""
    items.sort(key=lambda item: item.get_closest_marker("lab") is None)  # stable: the order inside a file stays
