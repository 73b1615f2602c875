"""`hypercompose:host:Ready`: SSH accepted under the pinned key, cloud-init finished, the final host key made."""

from __future__ import annotations

from collections.abc import Iterator

from provider.resource import Context, Properties, Resource, known
from provider.values import is_known
from provisioning.claim import Problem, owner_of, unfinished
from provisioning.first_contact import finish_first_boot
from provisioning.proxmox import ProxmoxError, ProxmoxUnreachable
from provisioning.ssh import Address


class Ready(Resource):
    """Comes after the VM. Until then its `vm` is unknown, which tells at preview whether the state holds the VM."""

    type = "hypercompose:host:Ready"
    replace_on = frozenset({"vm", "oneTimeKey", "host"})
    delete_before_replace = True

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Refuse, at preview, to make a VM a second time that an interrupted run has left."""
        if is_known(news.get("vm")) or urn in context.held or not known(news, "vmId", "owner", "node", "name"):
            return
        try:
            there = owner_of(context.proxmox, news["node"], news["vmId"])
        except (ProxmoxUnreachable, ProxmoxError):
            return  # the claim says so
        if there == news["owner"]:
            yield Problem(property="", reason=unfinished(news["vmId"], news["name"], news["owner"]))

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """First contact."""
        one_time = Address(host=inputs["host"], user=inputs["user"], host_key=inputs["oneTimeKey"])
        return str(inputs["host"]), {"hostKey": finish_first_boot(context.ssh, one_time, inputs["timeoutS"])}
