"""The simulated cluster: state, guests, workers, locks and permissions in one place for the calls to act on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lab.hypervisor import Hypervisor
from lab.pve.credentials import Credentials, load_credentials
from lab.pve.downloads import Downloads
from lab.pve.errors import ApiError, failure, no_config
from lab.pve.faults import Faults
from lab.pve.locks import Locks
from lab.pve.permissions import Permissions
from lab.pve.persistence import StateFile
from lab.pve.state import Record, State, Vm
from lab.pve.tasks import Tasks
from lab.pve.volumes import Volumes
from lab.world import World

T = TypeVar("T")
KEPT_CALLS = 500


class Cluster:
    """Everything a call may need. Lives on one event loop; only guests are driven from threads."""

    def __init__(self, world: World, hypervisor: Hypervisor, directory: Path) -> None:
        """Load what the directory holds from an earlier run."""
        directory.mkdir(parents=True, exist_ok=True)
        self.world = world
        self.hypervisor = hypervisor
        self.directory = directory
        self._file = StateFile(directory)
        self.state: State = self._file.load()
        self.faults = Faults()
        self.locks = Locks(world.lock_timeout_s, self.faults)
        self.tasks = Tasks(world, self.state, self.faults, self.save)
        self.volumes = Volumes(world, self.state, directory)
        self.permissions = Permissions(world)
        self.credentials = Credentials(load_credentials(world, directory))
        self.downloads = Downloads()
        self.calls: deque[Record] = deque(maxlen=KEPT_CALLS)

    def save(self) -> None:
        """Put the state on disk; called after each write and each finished worker."""
        self._file.save(self.state)

    def vm(self, node: str, vmid: int) -> Vm:
        """A VM of that node, or the error that clients take for `gone`."""
        vm = self.state.vms.get(vmid)
        if vm is None or vm.node != node:
            raise no_config(node, vmid)
        return vm

    def check_node(self, node: str) -> None:
        """Unknown node: Proxmox cannot resolve it. Offline node: the proxy cannot reach it."""
        if node not in self.node_names():
            reason = (
                f"hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
            )
            raise failure(reason)
        if node in self.faults.offline_nodes:
            raise ApiError(595, "No route to host", with_message=False)

    def node_names(self) -> list[str]:
        """All nodes, online or not."""
        return [node.name for node in self.world.nodes]

    def bridges(self, node: str) -> set[str]:
        """Bridges in force on a node: the world's, and those made through the API."""
        made = self.state.interfaces.get(node, {})
        return {bridge.name for bridge in self.world.bridges} | {n for n, i in made.items() if i["type"] == "bridge"}

    async def in_thread(self, call: Callable[..., T], *args: object) -> T:
        """Run a blocking call of the hypervisor beside the event loop."""
        return await asyncio.to_thread(call, *args)


def check_lock(vm: Vm) -> None:
    """Most changes are refused while the configuration has a lock."""
    if "lock" in vm.config:
        raise failure(f"VM is locked ({vm.config['lock']})")
