"""`hypercompose:proxmox:Seed`: what a VM learns at first boot, with a one-time host key."""

from __future__ import annotations

import secrets

from provider.resource import Context, Properties, Resource
from provisioning.claim import vm_config
from provisioning.drive import delete_volume, upload_iso
from provisioning.seed import Seed, SeedNic, iso_image, one_time_host_key, seed_files


class SeedResource(Resource):
    """On a disc uploaded with the API token, and then the private key is nowhere else; or as the text of a snippet."""

    type = "hypercompose:proxmox:Seed"
    # What first boot alone can set. A user's keys are not among it: those change on a living host
    # What makes another VM needs another seed: the one before is gone since first contact
    replace_on = frozenset(
        "vmId node storage name domain user nics dns templateId fullClone diskStorage".split()  # what first boot sets
    )
    secrets = frozenset({"userData"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Make key and seed; upload the disc if there is a storage. One left by an interrupted run is overwritten."""
        key = one_time_host_key()
        files = seed_files(_seed(inputs), key)
        if not inputs.get("storage"):
            return str(inputs["vmId"]), {"userData": files["user-data"].decode(), "hostKey": key.public}
        file_name = f"hypercompose-{inputs['vmId']}.iso"
        volume = upload_iso(context.proxmox, inputs["node"], inputs["storage"], file_name, iso_image(files))
        return volume, {"fileId": volume, "hostKey": key.public}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """A VM that was deleted by hand needs a new seed."""
        return state if vm_config(context.proxmox, state["node"], state["vmId"]) else None

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Delete the disc, which is gone since the first contact unless that never came."""
        if volume := state.get("fileId"):
            delete_volume(context.proxmox, state["node"], volume)


def _seed(inputs: Properties) -> Seed:
    return Seed(
        instance_id=f"{inputs['vmId']}-{secrets.token_hex(4)}",
        name=inputs["name"],
        domain=inputs["domain"],
        user=inputs["user"],
        authorized_keys=inputs["authorizedKeys"],
        nics=[SeedNic(mac=n["mac"], address=n.get("address"), gateway=n.get("gateway")) for n in inputs["nics"]],
        dns=inputs["dns"],
    )
