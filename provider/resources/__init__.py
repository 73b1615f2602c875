"""The resource types, by token."""

from provider.resource import Resource
from provider.resources.agent_host_key import AgentHostKey
from provider.resources.filesystem import Filesystem
from provider.resources.host_key import HostKey
from provider.resources.ready import Ready
from provider.resources.seed import SeedResource
from provider.resources.site_claim import SiteClaim
from provider.resources.step import StepResource
from provider.resources.vm_claim import VmClaim
from provider.resources.vm_proof import VmProof
from provisioning.steps.kinds import KINDS

_KINDS = (SiteClaim, VmClaim, VmProof, SeedResource, Ready, HostKey, AgentHostKey, Filesystem)

TYPES: dict[str, Resource] = {
    **{found.type: found() for found in _KINDS},
    **{found.type: found for found in map(StepResource, KINDS)},
}
