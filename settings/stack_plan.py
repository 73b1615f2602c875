"""From settings to stacks with nothing left to decide: where each runs, its files, environment, secrets and ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any

import yaml

from provisioning.compose.text import load_compose
from settings.baseline import Baseline, Firewall, OpenPorts
from settings.errors import SettingsError, problem
from settings.host_plan import HostPlan
from settings.hosting import InstanceRoom
from settings.image_lock import image_lookup
from settings.port_plan import hosting_problems, shared_ports, taken_ports
from settings.portainer import GitStack, Secret, Stack
from settings.project import MAIN, Declaration, Project, render
from settings.site import Site
from settings.stack import StackSettings
from settings.stack_project import environment, misfits, offered

DEFAULT_BRIDGE = "172.17.0.0/16"
SECRETS_VARIABLE = "SECRETS"
SECRETS_FOLDER = "/etc/hypercompose/stacks/{name}/secrets"


@dataclass(frozen=True, kw_only=True)
class StackPlan:
    """One stack on one host. Exactly one of `files` (ours, published), `git` and `inline`."""

    name: str
    host: str
    files: Mapping[str, str] | None
    git: GitStack | None
    inline: str | None
    env: Mapping[str, str]
    secrets: Mapping[str, Secret]
    ports: Mapping[str, int]
    health: Mapping[str, str]
    """Path by port name."""
    settings: Stack
    labels: Mapping[str, str]
    path: str = MAIN
    declared: Declaration | None = None
    """What the project says of itself; None for other sources."""
    warning: str = ""
    """What whoever takes this version of a product is told."""

    @property
    def is_gated(self) -> bool:
        """Whether its host's gate releases it. A text in the settings has nobody who pushes."""
        return self.inline is None and self.settings.rollout == "gated"

    @property
    def secrets_folder(self) -> str:
        """Where its secret files lie on the host."""
        return SECRETS_FOLDER.format(name=self.name)


@dataclass
class _Plan:
    site: Site
    stack: str
    hosts: Sequence[HostPlan]
    problems: list[str] = field(default_factory=list)

    def one(self, name: str, settings: Stack) -> Iterator[StackPlan]:
        where = f"stacks.{name}"
        host = self._host(where, settings)
        try:
            plan = self._plan(name, settings, host)
        except SettingsError as error:
            self.problems += [f"{where}: {error.source}: {line}" for line in error.problems]
            return
        self.problems += [f"{where}.{line}" for line in misfits(plan.settings, plan.declared)]
        yield plan

    def _plan(self, name: str, settings: Stack, host: str) -> StackPlan:
        project = Project(settings.project) if settings.project else None
        declared = project.declared if project else None
        labels = self._labels(name, settings, declared.product if declared else name)
        lookup = image_lookup(self.site)
        offer = offered(project, settings)
        return StackPlan(
            name=name,
            host=host,
            files=project.rendered(lookup, labels, offer.version.images if offer else None) if project else None,
            git=settings.git,
            inline=_inline(name, settings.inline, lookup, labels) if settings.inline else None,
            env=environment(settings, declared, offer.size.variables if offer else {}),
            secrets={**(declared.secrets if declared else {}), **settings.secrets},
            ports=settings.ports,
            health={key: port.health for key, port in declared.ports.items() if port.health} if declared else {},
            settings=settings,
            labels=labels,
            path=settings.git.path if settings.git else MAIN,
            declared=declared,
            warning=(offer.version.warning or "") if offer else "",
        )

    def _labels(self, name: str, settings: Stack, product: str) -> dict[str, str]:
        values = {
            "env": self.stack,
            "stack": name,
            "tenant": settings.tenant or self.site.id,
            "instance": settings.instance or name,
            "product": product,
        }
        return {f"hypercompose.{key}": value for key, value in values.items()}

    def _host(self, where: str, settings: Stack) -> str:
        able = [host.name for host in self.hosts if host.portainer]
        if settings.host is None and len(able) == 1:
            return able[0]
        if settings.host in able:
            return str(settings.host)
        expected = f"one of the hosts with Portainer ({', '.join(able) or 'none has it; add `portainer`'})"
        self.problems.append(problem(f"{where}.host", settings.host, expected, "name one"))
        return settings.host or ""


def plan_stacks(site: Site, settings: StackSettings, stack: str, hosts: Sequence[HostPlan]) -> tuple[StackPlan, ...]:
    """Every stack, in the order of the settings. Raises SettingsError with every problem found."""
    plan = _Plan(site, stack, hosts)
    plans = [found for name, wanted in settings.stacks.items() for found in plan.one(name, wanted)]
    problems = [*plan.problems, *_site_problems(site, settings), *_moves(settings, hosts), *shared_ports(hosts, plans)]
    problems += hosting_problems(settings.hosting, hosts, taken_ports(hosts, plans))
    if problems:
        raise SettingsError(f"Pulumi.{stack}.yaml", list(dict.fromkeys(problems)))
    return tuple(plans)


def plan_stack(site: Site, stack: str, name: str, settings: Stack, host: str) -> StackPlan:
    """A stack by itself, on a host that is known to take it. Raises SettingsError."""
    plan = _Plan(site, stack, ())._plan(name, settings, host)
    if problems := list(misfits(settings, plan.declared)):
        raise SettingsError(name, problems)
    return plan


def opened(host: HostPlan, stacks: Sequence[StackPlan], hosting: InstanceRoom | None = None) -> HostPlan:
    """The host with the ports of its Portainer, stacks and instances among those that may be reached."""
    if host.docker is None:
        return host
    openings = dict(host.docker.published)
    if host.portainer and host.has_server:
        openings[_free("portainer", openings)] = _opening(host.portainer.port, host.portainer.sources)
    for plan in stacks:
        for number in plan.ports.values() if plan.host == host.name else ():
            # by number: names of stacks and ports may hold dashes both
            openings[_free(f"{plan.name}-{number}", openings)] = _opening(number, plan.settings.sources)
    if hosting:
        openings[_free("instances", openings)] = hosting.opening()
    if hosting and hosting.routes:  # its router is in the host's own network: the rules for Docker keep others out
        openings[_free("router", openings)] = hosting.routes.opening()
    docker = replace(host.docker, published=openings)
    return replace(host, docker=docker, baseline=_router_opened(_gate_opened(host), hosting))


def _router_opened(baseline: Baseline | None, hosting: InstanceRoom | None) -> Baseline | None:
    """The firewall of the host lets the same in."""
    if baseline is None or baseline.firewall is None or hosting is None or hosting.routes is None:
        return baseline
    ports = tuple(f"{port}/tcp" for port in hosting.routes.ports)
    return _let_in(baseline, baseline.firewall, "router", OpenPorts(ports=ports, sources=hosting.routes.sources))


def _gate_opened(host: HostPlan) -> Baseline | None:
    """The firewall lets Portainer, which is in a container, and whoever may knock, to the gate."""
    baseline, portainer = host.baseline, host.portainer
    if baseline is None or baseline.firewall is None or portainer is None or host.docker is None:
        return baseline
    sources = [*map(IPv4Network, (DEFAULT_BRIDGE, *host.docker.pools)), *portainer.gate_sources]
    opening = OpenPorts(ports=(f"{portainer.gate_port}/tcp",), sources=tuple(dict.fromkeys(sources)))
    return _let_in(baseline, baseline.firewall, "gate", opening)


def _let_in(baseline: Baseline, firewall: Firewall, name: str, opening: OpenPorts) -> Baseline:
    more = {_free(name, firewall.open): opening}
    return baseline.model_copy(update={"firewall": firewall.model_copy(update={"open": {**firewall.open, **more}})})


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name that nobody has used for an opening of their own."""
    while name in taken:
        name += "_"
    return name


def _opening(port: int, sources: Sequence[Any]) -> dict[str, Any]:
    return {"ports": [f"{port}/tcp"], "sources": [str(source) for source in sources]}


def _inline(name: str, text: str, lookup: Callable[[str], str], labels: Mapping[str, str]) -> str:
    try:
        content = load_compose(text)
    except yaml.YAMLError as error:
        raise SettingsError("inline", [f"not YAML: {' '.join(str(error).split())}"]) from error
    known: Callable[[str], str] = lambda image: image if _is_reference(image) else lookup(image)  # noqa: E731
    return render("inline", content, known, labels)


def _is_reference(image: str) -> bool:
    """Whether it is an image as Docker writes it, and no key of the lock."""
    return any(mark in image for mark in "/:@$")


def _site_problems(site: Site, settings: StackSettings) -> Iterator[str]:
    file = f"sites/{site.id}.yaml"
    if any(stack.project for stack in settings.stacks.values()) and not (site.git and site.git.repository):
        yield f"stacks: projects are published to git, expected git.repository in {file}; say there which"


def _moves(settings: StackSettings, hosts: Sequence[HostPlan]) -> Iterator[str]:
    """What `moved_from` says that cannot be."""
    for name, stack in settings.stacks.items():
        moved, where = stack.moved_from, f"stacks.{name}.moved_from"
        if moved and moved.stack in settings.stacks:
            yield problem(f"{where}.stack", moved.stack, "a name that no stack has now", "take one of the two out")
        known = [host.name for host in hosts]
        if moved and moved.host and moved.host not in known:
            remedy = "keep the old host in the settings until the stack has moved"
            yield problem(f"{where}.host", moved.host, f"one of {', '.join(known)}", remedy)
