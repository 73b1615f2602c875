"""The rules, by theme."""

from policies.rule import Rule
from policies.rules import confinement, containers, hosts, ports, secrets, transport, vms

RULES: tuple[Rule, ...] = (
    *transport.RULES,
    *vms.RULES,
    *hosts.RULES,
    *ports.RULES,
    *containers.RULES,
    *confinement.RULES,
    *secrets.RULES,
)
