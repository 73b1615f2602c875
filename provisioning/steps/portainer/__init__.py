"""Portainer's container on a host, the gate in front of it, and the secret files of stacks."""

from provisioning.steps.kind import Kind
from provisioning.steps.portainer.gate import ReleaseGate
from provisioning.steps.portainer.secret_files import SecretFiles
from provisioning.steps.portainer.server import PortainerServer

KINDS: tuple[Kind, ...] = (ReleaseGate(), PortainerServer(), SecretFiles())
