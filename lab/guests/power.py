"""The power of one guest's container: on or off, asked to end or made to, and why it ended."""

from __future__ import annotations

import time
from contextlib import suppress

from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

POWER_BUTTON = "SIGRTMIN+4"
"""What systemd takes for the power button: it starts poweroff.target, and so leaves the mark of a guest that is off."""
POWER_CUT_AHEAD = "SIGRTMIN+3"
"""The same without that mark (halt.target), as the engine itself sends it when this machine goes down."""
PRESS_AGAIN_S = 2.0
POWERED_OFF = "/var/lib/hypervisor/powered-off"
EXIT_REBOOT = 129
"""128 + SIGHUP: how the kernel ends PID 1 of a container that asked for a restart."""


def pid_of(container: Container) -> int | None:
    """Process id of the guest's init on this machine; None when it does not run."""
    try:
        container.reload()
    except NotFound:
        return None
    state = container.attrs["State"]
    return int(state["Pid"]) if state["Running"] and state["Pid"] else None


def chose_to_power_off(container: Container) -> bool:
    """Whether a guest that has ended did so by its own `poweroff`, not by a crash or this machine's shutdown."""
    try:
        for _ in container.get_archive(POWERED_OFF)[0]:
            pass  # read to the end, so that the connection can serve the next call
    except DockerException:
        return False
    return True


def ends_within(container: Container, signal: str, timeout_s: float) -> bool:
    """Signal the guest's init until it has ended; one that has just started does not hear it yet."""
    deadline, press_at = time.monotonic() + timeout_s, 0.0
    while pid_of(container):
        now = time.monotonic()
        if now >= deadline:
            return False
        if now >= press_at:
            with suppress(APIError):  # it ended just now
                container.kill(signal)
            press_at = now + PRESS_AGAIN_S
        time.sleep(0.05)
    return True


def kill(container: Container) -> None:
    """End a container that may have ended already, and wait until it has."""
    with suppress(APIError):
        container.kill()
    with suppress(DockerException):
        container.wait(timeout=10)
