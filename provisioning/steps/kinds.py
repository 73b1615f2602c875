"""Every kind of step there is."""

from provisioning.steps import access, companion, docker, hosting, portainer, system
from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = (
    *system.KINDS,
    *access.KINDS,
    *docker.KINDS,
    *portainer.KINDS,
    *companion.KINDS,
    *hosting.KINDS,
)
BY_NAME = {kind.name: kind for kind in KINDS}
