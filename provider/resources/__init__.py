"""The resource types, by token."""

from provider.resource import Resource
from provider.resources.agent_host_key import AgentHostKey
from provider.resources.filesystem import Filesystem
from provider.resources.host_key import HostKey
from provider.resources.limits import Limits
from provider.resources.password import Password, Uuid
from provider.resources.portainer.access import Access
from provider.resources.portainer.environment import Environment
from provider.resources.portainer.gated_stack import GatedStack
from provider.resources.portainer.registry import Registry
from provider.resources.portainer.registry_access import RegistryAccess
from provider.resources.portainer.settings import Settings
from provider.resources.portainer.stack import Stack
from provider.resources.publication import Publication
from provider.resources.ready import Ready
from provider.resources.seed import SeedResource
from provider.resources.site_claim import SiteClaim
from provider.resources.step import StepResource
from provider.resources.tls import Authority, Certificate
from provider.resources.vm_claim import VmClaim
from provider.resources.vm_proof import VmProof
from provider.resources.windows.service_config import ServiceConfig
from provisioning.steps.kinds import KINDS

_SITE = (SiteClaim, Limits, VmClaim, VmProof, SeedResource, Ready, HostKey, AgentHostKey, Filesystem)
_PORTAINER = (Access, Settings, Environment, Registry, RegistryAccess, GatedStack, Stack)
_STACKS = (Password, Uuid, Authority, Certificate, Publication, *_PORTAINER, ServiceConfig)

TYPES: dict[str, Resource] = {
    **{found.type: found() for found in (*_SITE, *_STACKS)},
    **{found.type: found for found in map(StepResource, KINDS)},
}
