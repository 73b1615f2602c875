"""What a host is: its name, its time, its kernel's settings, its packages."""

from provisioning.steps.kind import Kind
from provisioning.steps.system.host import Host
from provisioning.steps.system.hostname import Hostname
from provisioning.steps.system.journald import Journald
from provisioning.steps.system.mount import Mount
from provisioning.steps.system.packages import Packages
from provisioning.steps.system.swap import Swap
from provisioning.steps.system.sysctl import Sysctl
from provisioning.steps.system.time_sync import TimeSync
from provisioning.steps.system.timezone import TimeZone
from provisioning.steps.system.updates import Updates

KINDS: tuple[Kind, ...] = (
    Host(),
    Packages(),
    Hostname(),
    TimeZone(),
    TimeSync(),
    Sysctl(),
    Swap(),
    Journald(),
    Updates(),
    Mount(),
)
