"""`hypercompose:host:Filesystem`: a data disk with its filesystem, mounted now and at every boot."""

from __future__ import annotations

import contextlib

from provider.resource import Context, Properties, Resource
from provisioning.filesystem import DataDisk, ensure, observe, unmount
from provisioning.host import Address, HostUnreachable


class Filesystem(Resource):
    """Made only on a blank disk, grown when the disk grows, never unmade: deleting it unmounts."""

    type = "hypercompose:host:Filesystem"
    replace_on = frozenset({"vm", "slot", "mount"})
    delete_before_replace = True

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Find the disk, make the filesystem if there is none, mount it."""
        _ensure(context, inputs)
        return f"{inputs['host']}:{inputs['mount']}", {}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """Whether it is mounted, and as what."""
        try:
            context.hosts.reach(_address(state))
            seen = observe(context.ssh, _address(state), _disk(state))
        except HostUnreachable as error:
            context.unread(urn, error)
            return state
        return {**state, **seen}

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Grow it, or mount it again."""
        _ensure(context, news)
        return {}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Unmount; the data stay on the disk. A dead host must not keep its VM from being replaced."""
        with contextlib.suppress(HostUnreachable):
            unmount(context.ssh, _address(state), _disk(state))


def _ensure(context: Context, inputs: Properties) -> None:
    size = ensure(context.ssh, _address(inputs), _disk(inputs))
    if size < inputs["sizeGib"] << 30:
        context.warn(
            "",
            f"{inputs['host']}: the disk at {inputs['mount']} has grown to {inputs['sizeGib']} GiB; the VM sees that "
            f"after its next power cycle, and grows the filesystem by itself (now {size >> 30} GiB)",
        )


def _address(inputs: Properties) -> Address:
    return Address(host=inputs["host"], user=inputs["user"], host_key=inputs["hostKey"])


def _disk(inputs: Properties) -> DataDisk:
    return DataDisk(name=inputs["name"], slot=inputs["slot"], filesystem=inputs["filesystem"], mount=inputs["mount"])
