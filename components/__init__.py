"""What exists. Never opens a socket."""

from components.bridge import OwnedBridge, OwnedVlan
from components.rocky_app_vm import RockyAppVm, RockyAppVmArgs
from components.site_access import SiteAccess
from components.vm_claims import VmClaims, Wanted

__all__ = ["OwnedBridge", "OwnedVlan", "RockyAppVm", "RockyAppVmArgs", "SiteAccess", "VmClaims", "Wanted"]
