"""`hypercompose:host:AgentKey`: the host key read through the guest agent, where the template allows that."""

from __future__ import annotations

import time

from provider.resource import Context, Properties, Resource
from provisioning.errors import ProvisioningError
from provisioning.first_contact import FINAL_KEY
from provisioning.proxmox import ProxmoxError, segment

PAUSE_S = 1.0


class AgentHostKey(Resource):
    """Needs an agent that allows guest-file-open and guest-file-read; Rocky's default one refuses both."""

    type = "hypercompose:host:AgentKey"
    replace_on = frozenset({"vm"})
    delete_before_replace = True

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Wait for the agent and for the key, then read it."""
        path = f"/nodes/{segment(inputs['node'])}/qemu/{inputs['vmId']}/agent/file-read"
        limit = time.monotonic() + inputs["timeoutS"]
        while True:
            try:
                content = str(context.proxmox.get(path, file=f"{FINAL_KEY}.pub")["content"])
                return str(inputs["vmId"]), {"hostKey": " ".join(content.split()[:2])}
            except ProxmoxError as error:
                if "disabled" in str(error) or time.monotonic() > limit:
                    raise ProvisioningError(
                        f"VM {inputs['vmId']}: the guest agent gives no host key ({error}); "
                        "use `host_key: seed-iso`, which needs no agent"
                    ) from error
            if context.cancelled.wait(PAUSE_S):
                raise ProvisioningError(f"VM {inputs['vmId']}: cancelled while waiting for the guest agent")
