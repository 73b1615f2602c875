"""Docker on a host: packages, daemon, published ports, registry."""

from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = ()
