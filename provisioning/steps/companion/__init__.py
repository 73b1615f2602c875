"""A Windows companion's share on a host."""

from provisioning.steps.companion.share_mount import ShareMount
from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = (ShareMount(),)
