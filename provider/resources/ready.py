"""`hypercompose:host:Ready`: SSH accepted under the pinned key, cloud-init finished, the final host key made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provider.resource import Context, Properties, Resource, known
from provider.values import is_known
from provisioning.claim import Problem, owner_of, unfinished, vm_config
from provisioning.drive import DRIVE
from provisioning.errors import ProvisioningError
from provisioning.first_contact import finish_first_boot
from provisioning.host import Address
from provisioning.proxmox import ProxmoxError, ProxmoxUnreachable


class Ready(Resource):
    """Comes after the VM. Until then its `vm` is unknown, which tells at preview whether the state holds the VM."""

    type = "hypercompose:host:Ready"
    replace_on = frozenset({"vm", "oneTimeKey"})  # not `host`: a new lease is no new VM
    delete_before_replace = True

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Refuse, at preview, a VM that an interrupted or failed run has left half made."""
        if urn in context.held or not known(news, "vmId", "owner", "node", "name"):
            return
        try:
            config = vm_config(context.proxmox, news["node"], news["vmId"])
        except (ProxmoxUnreachable, ProxmoxError):
            return  # the claim says so
        unheld = not is_known(news.get("vm")) and owner_of(config) == news["owner"]
        if unheld or _lost_its_seed(config, news):
            yield Problem(property="", reason=unfinished(news["vmId"], news["name"], news["owner"]))

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """First contact, with the VM that was declared and no other."""
        if _lost_its_seed(vm_config(context.proxmox, inputs["node"], inputs["vmId"]), inputs):
            raise ProvisioningError(unfinished(inputs["vmId"], inputs["name"], inputs["owner"]))
        one_time = Address(host=inputs["host"], user=inputs["user"], host_key=inputs["oneTimeKey"])
        return str(inputs["host"]), {"hostKey": finish_first_boot(context.ssh, one_time, inputs["timeoutS"])}


def _lost_its_seed(config: Mapping[str, Any], news: Properties) -> bool:
    """Whether the VM is in the state without its seed: the provider's create failed after the clone.

    Pulumi then goes on with an update, which starts the VM as its template was (measured); until first contact is over,
    the seed must be in the drive.
    """
    seed = news.get("seed")
    if not config or not is_known(news.get("vm")) or not isinstance(seed, str):
        return False
    return str(config.get(DRIVE, "")).split(",")[0] != seed
