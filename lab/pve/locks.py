"""The lock file of each VM: one holder at a time, and a wait that ends in Proxmox's own error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lab.pve.errors import failure
from lab.pve.faults import Faults

POLL_S = 0.05


class Locks:
    """Exclusive locks by VM id; not to be taken twice by one worker."""

    def __init__(self, timeout_s: float, faults: Faults) -> None:
        """Faults may hold locks too."""
        self._timeout_s = timeout_s
        self._faults = faults
        self._locks: dict[int, asyncio.Lock] = {}

    @asynccontextmanager
    async def hold(self, vmid: int) -> AsyncIterator[None]:
        """Hold the VM's lock; after the timeout fails as qemu-server does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._acquire(vmid)
        except TimeoutError:
            raise failure(f"can't lock file '/var/lock/qemu-server/lock-{vmid}.conf' - got timeout") from None
        try:
            yield
        finally:
            self._locks[vmid].release()

    async def _acquire(self, vmid: int) -> None:
        while vmid in self._faults.held_locks:
            await asyncio.sleep(POLL_S)
        await self._locks.setdefault(vmid, asyncio.Lock()).acquire()
