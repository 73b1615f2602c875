"""What a host is: its name, its time, its kernel's settings, its packages."""

from provisioning.steps.kind import Kind
from provisioning.steps.system.host import Host
from provisioning.steps.system.hostname import Hostname
from provisioning.steps.system.journald import Journald
from provisioning.steps.system.sysctl import Sysctl
from provisioning.steps.system.timezone import TimeZone

KINDS: tuple[Kind, ...] = (Host(), Hostname(), TimeZone(), Sysctl(), Journald())
