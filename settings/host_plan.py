"""From settings and site to what each host gets: the stack's parts with the host's own over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from settings.baseline import Baseline
from settings.docker_plan import DockerPlan, plan_docker
from settings.errors import SettingsError, problem
from settings.host import Command, Docker, ExistingHost, HostParts, OsName
from settings.portainer import PortainerSettings
from settings.site import Model, Site
from settings.stack import StackSettings
from settings.vm_spec import VmSpec

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """A host with nothing left to decide; `existing` is None for a VM of the stack."""

    name: str
    existing: ExistingHost | None
    baseline: Baseline | None
    docker: DockerPlan | None
    portainer: PortainerSettings | None
    commands: tuple[Command, ...]

    @property
    def has_server(self) -> bool:
        """Whether Portainer runs on it."""
        return self.portainer is not None and self.portainer.server in (None, self.name)

    @property
    def served_by(self) -> str | None:
        """The other host whose Portainer deploys to it."""
        return None if self.portainer is None or self.has_server else self.portainer.server


def plan_hosts(site: Site, stack: StackSettings, vms: tuple[VmSpec, ...], source: str) -> tuple[HostPlan, ...]:
    """Every host of a stack, VMs first. Raises SettingsError with every problem found."""
    plan = _Plan(site, stack)
    names = [name for group in stack.vms for name in group.names()]
    hosts = [plan.host(name, group, f"vms[{index}]") for index, group in enumerate(stack.vms) for name in group.names()]
    hosts += [plan.host(host.name, host, f"hosts[{index}]", host) for index, host in enumerate(stack.hosts)]
    plan.problems += _unserved(hosts)
    problems = [*plan.problems, *_repeated("name", [*names, *(host.name for host in stack.hosts)])]
    taken = [str(nic.address.ip) for vm in vms for nic in vm.nics if nic.address]
    problems += _repeated("address", [*taken, *(host.address for host in stack.hosts)])
    if problems:
        raise SettingsError(source, list(dict.fromkeys(problems)))
    return tuple(hosts)


def _unserved(hosts: Sequence[HostPlan]) -> Iterator[str]:
    able = [host.name for host in hosts if host.has_server]
    for host in hosts:
        if host.served_by and host.served_by not in able:
            expected = f"a host of this stack with Portainer of its own ({', '.join(able) or 'none has it'})"
            yield problem(f"{host.name}: portainer.server", host.served_by, expected, "name one, or leave it out")
        elif host.portainer and host.has_server and not host.portainer.sources:
            yield problem(f"{host.name}: portainer.sources", "none", "the networks that may reach it", "name them")


class _Plan:
    """Collects problems on the way."""

    def __init__(self, site: Site, stack: StackSettings) -> None:
        self.site, self.stack = site, stack
        self.problems: list[str] = []

    def host(self, name: str, parts: HostParts, where: str, existing: ExistingHost | None = None) -> HostPlan:
        if existing and existing.os is not OsName.LINUX:
            self.problems.append(
                problem(f"{where}.os", existing.os.value, "linux", "steps for Windows hosts are not there yet")
            )
        docker = _over(self.stack.docker, parts, "docker", Docker)
        return HostPlan(
            name=name,
            existing=existing,
            baseline=_over(self.stack.baseline, parts, "baseline", Baseline),
            docker=self._docker(docker, where, existing) if docker else None,
            portainer=self._portainer(parts, where, docker),
            commands=parts.commands,
        )

    def _docker(self, docker: Docker, where: str, existing: ExistingHost | None) -> DockerPlan | None:
        own = f"{where}.docker" if "docker" in _of(self.stack, where).model_fields_set else "docker"
        plan, problems = plan_docker(self.site, docker, existing=existing is not None)
        self.problems += [f"{own}.{line}" for line in problems]
        return plan

    def _portainer(self, parts: HostParts, where: str, docker: Docker | None) -> PortainerSettings | None:
        found = _over(self.stack.portainer, parts, "portainer", PortainerSettings)
        if found and docker is None and "portainer" in parts.model_fields_set:
            remedy = "it runs in a container"
            self.problems.append(problem(f"{where}.portainer", found.image, "`docker` on the same host", remedy))
        return found if docker else None


def _of(stack: StackSettings, where: str) -> HostParts:
    kind, index = where.rstrip("]").split("[")
    parts: tuple[HostParts, ...] = stack.vms if kind == "vms" else stack.hosts
    return parts[int(index)]


def _over(base: M | None, parts: HostParts, field: str, model: type[M]) -> M | None:
    """The stack's part with the fields that the host gives over it; a null takes it away."""
    if field not in parts.model_fields_set:
        return base
    own: M | None = getattr(parts, field)
    if own is None or base is None:
        return own
    fields: Mapping[str, Any] = {**_given(base), **_given(own)}
    return model.model_validate(fields)


def _given(model: Model) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.model_fields_set}


def _repeated(what: str, values: list[str]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"hosts: {what} {value} is used {times} times, by VMs or hosts, expected once; change one of them"
