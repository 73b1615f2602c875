"""What exists. Never opens a socket."""

from components.bridge import OwnedBridge, OwnedVlan
from components.docker_host import DockerHost, DockerHostArgs
from components.host_baseline import HostBaseline, HostBaselineArgs
from components.host_commands import HostCommands, HostCommandsArgs
from components.host_steps import HostConnection
from components.instance_router import InstanceRouter, InstanceRouterArgs
from components.portainer_server import PortainerServer, PortainerServerArgs
from components.portainer_stack import PortainerStack, PortainerStackArgs
from components.rocky_app_vm import RockyAppVm, RockyAppVmArgs
from components.site_access import SiteAccess
from components.vm_claims import VmClaims, Wanted

__all__ = [
    "DockerHost",
    "DockerHostArgs",
    "HostBaseline",
    "HostBaselineArgs",
    "HostCommands",
    "HostCommandsArgs",
    "HostConnection",
    "InstanceRouter",
    "InstanceRouterArgs",
    "OwnedBridge",
    "OwnedVlan",
    "PortainerServer",
    "PortainerServerArgs",
    "PortainerStack",
    "PortainerStackArgs",
    "RockyAppVm",
    "RockyAppVmArgs",
    "SiteAccess",
    "VmClaims",
    "Wanted",
]
