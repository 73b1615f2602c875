"""`hypercompose:proxmox:VmProof`: the VM that the provider put into the state is the one that was claimed."""

from __future__ import annotations

from provider.resource import Context, Properties, Resource
from provisioning.claim import vm_config
from provisioning.errors import ProvisioningError
from provisioning.mark import read_mark


class VmProof(Resource):
    """Where a VM is created, not cloned, the provider tries again and takes "already exists" for success."""

    type = "hypercompose:proxmox:VmProof"
    replace_on = frozenset({"vm", "nonce"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Compare owner and nonce in the VM's description."""
        config = vm_config(context.proxmox, inputs["node"], inputs["vmId"])
        if read_mark(str(config.get("description", ""))) != (inputs["owner"], inputs["nonce"]):
            raise ProvisioningError(
                f"VM {inputs['vmId']} on {inputs['node']} is somebody else's: it appeared between claim and creation. "
                f"Take it out of the state before anything else: pulumi state delete '{inputs['holder']}'"
            )
        return str(inputs["vmId"]), {}
