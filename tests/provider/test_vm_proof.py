"""The proof that a created VM is the claimed one."""

from typing import Any

import pytest

from provider.resource import Context
from provider.resources.vm_proof import VmProof
from provisioning.errors import ProvisioningError
from provisioning.mark import mark

INPUTS: dict[str, Any] = {
    "vm": "1600",
    "vmId": 1600,
    "node": "pve1",
    "owner": "lab/dev/vm-1-data",
    "nonce": "ab12",
    "holder": "urn:x",
}


class Api:
    def __init__(self, description: str) -> None:
        self.description = description

    def get(self, path: str) -> dict[str, str]:
        return {"description": self.description}


def prove(description: str) -> str:
    context = Context(proxmox=Api(description), load_ssh=lambda: None)  # type: ignore[arg-type, return-value]
    return VmProof().create(context, INPUTS)[0]


def test_ours_is_proven_by_owner_and_nonce() -> None:
    assert prove(mark("lab/dev/vm-1-data", "ab12")) == "1600"


@pytest.mark.parametrize("description", ["", mark("lab/dev/vm-1-data", "ffff"), mark("lab/prod/vm-1-data", "ab12")])
def test_anybody_elses_is_named_with_the_way_out_of_the_state(description: str) -> None:
    with pytest.raises(ProvisioningError, match="pulumi state delete 'urn:x'"):
        prove(description)
