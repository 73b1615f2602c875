"""WindowsCompanionLink: a companion's share on a host, and what its config files say of each service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.host_steps import HostConnection, StepChain
from components.native import ServiceConfig
from components.site_access import SiteAccess
from provisioning.companion.places import is_administrative
from settings.link_plan import EntryPlan, LinkPlan, Part, ServicePlan

WINDOWS = "windows"
REMEDY = "a share of its own with few rights does the same (docs/windows-link.md)"


@dataclass(frozen=True, kw_only=True)
class WindowsCompanionLinkArgs:
    """A link, the host it is for, and what must be there before."""

    connection: HostConnection
    site: SiteAccess
    plan: LinkPlan
    owner: str
    """Site, stack and link: who claims entries on the share."""
    password: pulumi.Input[str]
    secrets: Mapping[str, str] = field(repr=False)
    """Secrets in values, by name."""
    after: Sequence[pulumi.Resource]


class WindowsCompanionLink(pulumi.ComponentResource):
    """The share is mounted at first; `point` comes after the stacks that the values speak of."""

    mounted: Sequence[pulumi.Resource]
    """What whoever needs the share comes after."""
    mount: str

    def __init__(self, name: str, args: WindowsCompanionLinkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the mount."""
        super().__init__("hypercompose:windows:WindowsCompanionLink", name, None, opts)
        self._args, plan = args, args.plan
        if is_administrative(plan.share):
            pulumi.warn(f"{plan.share}: whole disks are shared with administrators only; {REMEDY}", self)
        chain = StepChain(self, args.site.native, args.connection, after=args.after)
        chain.add("ShareMount", f"{plan.name}-mount", _mount(plan, args.password), "password")
        self.mounted, self.mount = chain.last, plan.settings.mount

    def point(self, stacks: Mapping[str, pulumi.Resource]) -> dict[str, Any]:
        """Declare every service; what the outputs tell of the link. `stacks` by name."""
        for service in self._args.plan.services:
            self._service(service, [stacks[name] for name in sorted(service.stacks) if name in stacks])
        told = self._told()
        self.register_outputs(told)
        return told

    def _service(self, service: ServicePlan, stacks: Sequence[pulumi.Resource]) -> None:
        plan, connection = self._args.plan, self._args.connection
        shown = [entry for entry in service.entries if entry.parts is not None and not entry.is_secret]
        hidden = [entry for entry in service.entries if entry.is_secret]
        inputs = {
            **connection.inputs(),
            "link": {"share": plan.share, "mount": plan.settings.mount},
            "owner": self._args.owner,
            "service": service.name,
            "servedBy": connection.name if service.containerised else WINDOWS,
            "entries": _by_file(service.entries, _described),
            "values": _by_file(shown if service.containerised else (), self._value),
            "secretValues": _by_file(hidden if service.containerised else (), self._value),
            "restarts": list(service.restarts),
            "windowsHost": self._windows_host(),
        }
        options = pulumi.ResourceOptions(
            parent=self, provider=self._args.site.native, depends_on=[*self.mounted, *stacks]
        )
        ServiceConfig(f"{connection.name}-{plan.name}-{service.name}", inputs, options)

    def _value(self, entry: EntryPlan) -> pulumi.Input[str]:
        parts = [self._part(part) for part in entry.parts or ()]
        return pulumi.Output.secret(pulumi.Output.concat(*parts)) if entry.is_secret else pulumi.Output.concat(*parts)

    def _part(self, part: Part) -> pulumi.Input[str]:
        if part.kind == "address":
            return self._args.connection.host
        return self._args.secrets[part.text] if part.kind == "secret" else part.text

    def _windows_host(self) -> dict[str, Any] | None:
        settings = self._args.plan.settings
        if settings.ssh is None:
            return None
        key = " ".join(settings.ssh.host_key.split()[:2])
        return {"host": settings.companion, "user": settings.ssh.user, "port": settings.ssh.port, "hostKey": key}

    def _told(self) -> dict[str, Any]:
        plan = self._args.plan
        served = {each.name: "containers" if each.containerised else WINDOWS for each in plan.services}
        return {
            "host": plan.settings.host,
            "companion": plan.settings.companion,
            "share": plan.share,
            "mount": plan.settings.mount,
            "services": served,
        }


def _mount(plan: LinkPlan, password: pulumi.Input[str]) -> dict[str, Any]:
    settings = plan.settings
    names = ("mount", "user", "domain", "uid", "gid", "file_mode", "dir_mode", "encrypt")
    given = {name: getattr(settings, name) for name in names}
    return {"link": plan.name, "share": plan.share, "password": password, **given}


def _described(entry: EntryPlan) -> dict[str, Any]:
    told = {"format": entry.format, "encoding": entry.encoding}
    flags = {"secret": entry.is_secret, "keep": entry.parts is None}
    return {**told, **{name: True for name, is_so in flags.items() if is_so}}


def _by_file(entries: Sequence[EntryPlan], of: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        found.setdefault(entry.file, {})[entry.at] = of(entry)
    return found
