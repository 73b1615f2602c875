"""Which ports of a host are whose: no two stacks, and no stack and a range for instances, have one in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from settings.errors import problem
from settings.host_plan import HostPlan
from settings.hosting import InstanceRoom

if TYPE_CHECKING:
    from settings.stack_plan import StackPlan


def shared_ports(hosts: Sequence[HostPlan], plans: Sequence[StackPlan]) -> Iterator[str]:
    """Stacks that publish what is taken."""
    taken = _ports_of_hosts(hosts)
    for plan in plans:
        for key, number in numbers(plan):
            place = (plan.host, number)
            if place in taken:
                remedy = f"{taken[place]} has it on {plan.host}"
                yield problem(f"stacks.{plan.name}.ports.{key}", number, "a port that nothing else has", remedy)
            taken[place] = f"{plan.name} ({key})"


def _ports_of_hosts(hosts: Sequence[HostPlan]) -> dict[tuple[str, int], str]:
    """Host and port -> who has it, before any stack."""
    taken = {(host.name, host.portainer.port): "portainer" for host in hosts if host.portainer and host.has_server}
    return taken | {(host.name, host.portainer.gate_port): "the gate" for host in hosts if host.portainer}


def taken_ports(hosts: Sequence[HostPlan], plans: Sequence[StackPlan]) -> dict[tuple[str, int], str]:
    """Host and port -> who has it."""
    return _ports_of_hosts(hosts) | {
        (plan.host, number): f"{plan.name} ({key})" for plan in plans for key, number in numbers(plan)
    }


def numbers(plan: StackPlan) -> Iterator[tuple[str, int]]:
    """Every port that it publishes: those given, and those that a project publishes by default."""
    yield from plan.ports.items()
    for key, port in plan.declared.ports.items() if plan.declared else ():
        if key not in plan.ports and plan.env.get(port.variable, "").isdigit():
            yield key, int(plan.env[port.variable])


def hosting_problems(
    hosting: Mapping[str, InstanceRoom], hosts: Sequence[HostPlan], taken: Mapping[tuple[str, int], str]
) -> Iterator[str]:
    """What cannot be. `taken`: who has a port of a host already."""
    able = [host.name for host in hosts if host.portainer]
    for name, settings in hosting.items():
        if name not in able:
            expected = f"one of the hosts with Portainer ({', '.join(able) or 'none has it; add `portainer`'})"
            yield problem(f"hosting.{name}", name, expected, "name one")
        for (host, number), who in taken.items():
            if host == name and settings.first_port <= number <= settings.last_port:
                yield problem(f"hosting.{name}.ports", settings.ports, f"a range without {number}", f"{who} has it")
        yield from _router_problems(name, settings, taken)
    yield from _shared_domains(hosting)


def _router_problems(name: str, settings: InstanceRoom, taken: Mapping[tuple[str, int], str]) -> Iterator[str]:
    for number in settings.routes.ports if settings.routes else ():
        who = taken.get((name, number))
        if who is None and settings.first_port <= number <= settings.last_port:
            who = "the range for instances"
        if who is not None:
            where = f"hosting.{name}.routes"
            yield problem(where, number, "ports that nothing else has", f"{who} has it on {name}; choose another")


def _shared_domains(hosting: Mapping[str, InstanceRoom]) -> Iterator[str]:
    """A wildcard record leads to one host."""
    known: dict[str, str] = {}
    for name, settings in hosting.items():
        domain = settings.routes.domain if settings.routes else None
        if domain in known:
            where = f"hosting.{name}.routes.domain"
            yield problem(where, domain, "a domain for each host", f"{known[domain]} has it; choose another")
        elif domain is not None:
            known[domain] = name
