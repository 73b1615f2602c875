"""Who may do what on a host: accounts, sudo, SSH, the firewall."""

from provisioning.steps.access.firewall import Firewall
from provisioning.steps.access.group import Group
from provisioning.steps.access.ssh_server import SshServer
from provisioning.steps.access.sudo_rule import SudoRule
from provisioning.steps.access.user import User
from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = (Group(), User(), SudoRule(), SshServer(), Firewall())
