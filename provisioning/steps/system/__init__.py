"""What a host is: its name, its time, its kernel's settings, its packages."""

from provisioning.steps.kind import Kind
from provisioning.steps.system.hostname import Hostname

KINDS: tuple[Kind, ...] = (Hostname(),)
