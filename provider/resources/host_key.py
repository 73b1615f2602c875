"""`hypercompose:host:HostKey`: the host answers with the key it made itself, and with no other; the seed is gone."""

from __future__ import annotations

from provider.resource import Context, Properties, Resource
from provisioning.drive import delete_volume, eject
from provisioning.first_contact import retire_one_time_key
from provisioning.host import Address, HostUnreachable


class HostKey(Resource):
    """A resource of its own: the final key is in the state before the one-time key stops working."""

    type = "hypercompose:host:HostKey"
    replace_on = frozenset({"vm", "host", "hostKey"})
    delete_before_replace = True

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Retire the one-time key, take the seed out of the drive and delete it."""
        if inputs.get("retire"):
            retire_one_time_key(context.ssh, _address(inputs))
        if seed := inputs.get("seed"):
            eject(context.proxmox, inputs["node"], inputs["vmId"], seed)
            delete_volume(context.proxmox, inputs["node"], seed)
        return str(inputs["host"]), {"address": inputs["host"]}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """Prove the key. A changed one is an error; a host that does not answer is a warning."""
        try:
            context.hosts.reach(_address(state))
        except HostUnreachable as error:
            context.unread(urn, error)
        return state


def _address(inputs: Properties) -> Address:
    return Address(host=inputs["host"], user=inputs["user"], host_key=inputs["hostKey"])
