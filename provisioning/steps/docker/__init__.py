"""Docker on a host: packages, daemon, published ports, registry."""

from provisioning.steps.docker.daemon import DockerDaemon
from provisioning.steps.docker.firewall import DockerFirewall
from provisioning.steps.docker.listener import DockerListener
from provisioning.steps.docker.packages import DockerPackages
from provisioning.steps.docker.proof import DockerProof
from provisioning.steps.docker.registry_login import RegistryLogin
from provisioning.steps.docker.registry_trust import RegistryTrust
from provisioning.steps.docker.repository import DockerRepository
from provisioning.steps.docker.service import DockerService
from provisioning.steps.docker.users import DockerUsers
from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = (
    DockerRepository(),
    DockerDaemon(),
    DockerFirewall(),
    DockerPackages(),
    DockerService(),
    DockerListener(),
    DockerUsers(),
    RegistryTrust(),
    RegistryLogin(),
    DockerProof(),
)
