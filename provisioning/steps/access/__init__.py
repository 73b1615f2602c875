"""Who may do what on a host: accounts, sudo, SSH, the firewall."""

from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = ()
