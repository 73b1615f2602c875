"""`hypercompose:proxmox:VmClaim`: a declared VM id is free or ours, and the site has what the VM needs."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator

from provider.resource import Context, Properties, Resource, known
from provisioning.claim import Problem, Wanted, problems, unfinished, vm_config
from provisioning.errors import ProvisioningError
from provisioning.mark import read_mark
from provisioning.proxmox import ProxmoxError, ProxmoxUnreachable

INPUTS = ("vmId", "name", "owner", "node", "templateId", "diskStorages", "isoStorage", "bridges", "addresses")


class VmClaim(Resource):
    """Comes before the VM. Its nonce goes into the VM's description and tells our VM from everybody else's."""

    type = "hypercompose:proxmox:VmClaim"
    replace_on = frozenset({"vmId", "owner"})

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Compare with the site; where the site cannot be asked, say so and leave the refusal to `create`."""
        if not known(news, *INPUTS):
            return
        claimed = olds.get("vmId") == news["vmId"] and olds.get("owner") == news["owner"]
        if not claimed and olds.get("owner") == news["owner"] and news.get("templateId") is None:
            yield Problem(
                property="vmId",
                reason=f"data disks do not move from VM {olds['vmId']} to VM {news['vmId']}; keep `data_first_id`",
            )
        try:
            wanted = _wanted(news, held=olds.get("addresses", ()) if olds.get("owner") == news["owner"] else ())
            yield from problems(context.proxmox, wanted, claimed_before=claimed)
        except ProxmoxUnreachable as error:
            context.warn(urn, f"VM id {news['vmId']} could not be checked: {error}")
        except ProxmoxError as error:
            if error.status != 401:  # the site's claim speaks of a refused token
                yield Problem(property="vmId", reason=f"could not be checked: {error}")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Check once more, now that it counts, and make the nonce."""
        # its addresses were probed by `check`; by now a VM that makes room for this one may still answer there
        wanted = _wanted(inputs, held=inputs["addresses"])
        found = list(problems(context.proxmox, wanted, claimed_before=False))
        if found:
            raise ProvisioningError("; ".join(f"{p.property}: {p.reason}" for p in found))
        return str(inputs["vmId"]), {"nonce": secrets.token_hex(8)}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Refuse while the VM is there: the nonce goes with the claim, and nobody could tell whose VM it is."""
        config = vm_config(context.proxmox, state["node"], state["vmId"])
        if read_mark(str(config.get("description", ""))) == (state["owner"], state["nonce"]):
            raise ProvisioningError(unfinished(state["vmId"], state["name"], state["owner"]))


def _wanted(inputs: Properties, *, held: Collection[str]) -> Wanted:
    return Wanted(
        vm_id=inputs["vmId"],
        name=inputs["name"],
        owner=inputs["owner"],
        node=inputs["node"],
        template_id=inputs.get("templateId"),
        disk_storages=inputs["diskStorages"],
        iso_storage=inputs.get("isoStorage"),
        bridges=inputs["bridges"],
        new_addresses=[address for address in inputs["addresses"] if address not in held],
    )
