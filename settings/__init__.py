"""What is wanted (stack settings) and what is there (site file), read and checked. Opens no socket."""

from settings.errors import SettingsError
from settings.plan import plan_vms
from settings.program import Program, load_program
from settings.site import Site, load_site
from settings.stack import StackSettings
from settings.vm_spec import DataDiskSpec, NicSpec, VmSpec

__all__ = [
    "DataDiskSpec",
    "NicSpec",
    "Program",
    "SettingsError",
    "Site",
    "StackSettings",
    "VmSpec",
    "load_program",
    "load_site",
    "plan_vms",
]
