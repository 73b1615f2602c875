"""From settings to links with nothing left to decide: what is mounted where, which value stands where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from provisioning.companion.places import relative, same_file, share_problem
from provisioning.config_files import FORMATS, format_of, selector_problem
from settings.errors import SettingsError, problem
from settings.host_plan import HostPlan
from settings.link import Edit, Link, LinkedService
from settings.port_plan import numbers
from settings.stack_plan import StackPlan

_WORD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True)
class Part:
    """A piece of a value: `text` as it is, the `address` of the host, a `secret` by name."""

    kind: Literal["text", "address", "secret"]
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class EntryPlan:
    """One value in one file; `parts` is None where it is kept."""

    file: str
    at: str
    format: str
    encoding: str
    parts: tuple[Part, ...] | None

    @property
    def is_secret(self) -> bool:
        """Whether nobody may see it."""
        return any(part.kind == "secret" for part in self.parts or ())


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """One service of a link. `stacks` are those whose ports its values name: it comes after them."""

    name: str
    containerised: bool
    entries: tuple[EntryPlan, ...]
    restarts: tuple[str, ...]
    stacks: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class LinkPlan:
    """One link."""

    name: str
    settings: Link
    services: tuple[ServicePlan, ...]

    @property
    def share(self) -> str:
        """As both sides write it."""
        return share_of(self.settings)

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the secrets in its values."""
        entries = [entry for service in self.services for entry in service.entries]
        return frozenset(part.text for entry in entries for part in entry.parts or () if part.kind == "secret")


def share_of(link: Link) -> str:
    """`//companion/share`."""
    return f"//{link.companion}/{link.share}"


def plan_links(
    links: Mapping[str, Link], hosts: Sequence[HostPlan], stacks: Sequence[StackPlan], domain: str, source: str
) -> tuple[LinkPlan, ...]:
    """Every link, in the order of the settings. Raises SettingsError with every problem found."""
    plan = _Plan({host.name for host in hosts}, stacks, domain)
    found = [plan.link(name, link) for name, link in links.items()]
    problems = [*plan.problems, *_shared_places(found), *_unknown_links(links, stacks)]
    if problems:
        raise SettingsError(source, list(dict.fromkeys(problems)))
    return tuple(found)


class _Plan:
    """Collects problems on the way."""

    def __init__(self, hosts: set[str], stacks: Sequence[StackPlan], domain: str) -> None:
        self.hosts, self.domain = hosts, domain
        self.ports = {f"{plan.name}.{key}": (plan, number) for plan in stacks for key, number in numbers(plan)}
        self.problems: list[str] = []

    def link(self, name: str, link: Link) -> LinkPlan:
        where = f"links.{name}"
        if link.host not in self.hosts:
            known = ", ".join(sorted(self.hosts)) or "none"
            self._bad(f"{where}.host", link.host, f"one of the stack's hosts: {known}", "name one")
        if reason := share_problem(share_of(link)):
            self.problems.append(f"{where}.share: {reason}; give its name alone, such as M")
        for service in link.containerised:
            if service not in link.services:
                known = ", ".join(link.services) or "none"
                self._bad(f"{where}.containerised", service, f"one of its services: {known}", "declare it there first")
        services = tuple(
            self._service(f"{where}.services.{key}", link, key, service) for key, service in link.services.items()
        )
        return LinkPlan(name=name, settings=link, services=services)

    def _service(self, where: str, link: Link, name: str, service: LinkedService) -> ServicePlan:
        if service.restarts and link.ssh is None:
            self._bad(f"{where}.restarts", list(service.restarts), "`ssh` of the link", "say how Windows is reached")
        used: set[str] = set()
        entries = [self._entry(f"{where}.edits[{index}]", link, edit, used) for index, edit in enumerate(service.edits)]
        return ServicePlan(
            name=name,
            containerised=name in link.containerised,
            entries=tuple(entry for entry in entries if entry),
            restarts=service.restarts,
            stacks=frozenset(used),
        )

    def _entry(self, where: str, link: Link, edit: Edit, used: set[str]) -> EntryPlan | None:
        try:
            file = relative(edit.file)
        except ValueError as error:
            self.problems.append(f"{where}.file: {error}")
            return None
        kind = edit.format or format_of(file)
        if kind is None:
            self._bad(f"{where}.format", None, ", ".join(FORMATS), f"{file} does not tell")
            return None
        if reason := selector_problem(kind, edit.at):
            self.problems.append(f"{where}.at: {reason}")
        parts = None if edit.value is None else tuple(self._parts(f"{where}.value", link, edit.value, used))
        return EntryPlan(file=file, at=edit.at, format=kind, encoding=edit.encoding, parts=parts)

    def _parts(self, where: str, link: Link, value: str, used: set[str]) -> Iterator[Part]:
        end = 0
        for found in _WORD.finditer(value):
            yield Part("text", value[end : found.start()])
            end = found.end()
            if found[0] in ("{{", "}}"):
                yield Part("text", found[0][0])
            else:
                yield self._part(where, link, found[1], used)
        yield Part("text", value[end:])

    def _part(self, where: str, link: Link, word: str | None, used: set[str]) -> Part:
        kind, _, rest = (word or "").partition(":")
        texts = {"name": link.host, "fqdn": f"{link.host}.{self.domain}", "companion": link.companion}
        if word in texts:
            return Part("text", texts[word])
        if word == "address":
            return Part("address")
        if kind == "secret" and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", rest):
            return Part("secret", rest)
        if kind == "port" and rest in self.ports:
            plan, number = self.ports[rest]
            if plan.host != link.host:
                self._bad(where, word, f"a port on {link.host}", f"{plan.name} runs on {plan.host}")
            used.add(plan.name)
            return Part("text", str(number))
        known = [
            "{address}",
            "{name}",
            "{fqdn}",
            "{companion}",
            "{secret:…}",
            *(f"{{port:{key}}}" for key in self.ports),
        ]
        self._bad(where, word if word is not None else "a lone brace", f"one of {', '.join(known)}", "`{{` is a brace")
        return Part("text")

    def _bad(self, where: str, found: object, expected: str, remedy: str) -> None:
        self.problems.append(problem(where, found, expected, remedy))


def _shared_places(links: Sequence[LinkPlan]) -> Iterator[str]:
    """Mount points and entries that two would have."""
    mounts: dict[tuple[str, str], str] = {}
    entries: dict[tuple[str, str, str], str] = {}
    for link in links:
        place, where = (link.settings.host, link.settings.mount), f"links.{link.name}"
        if place in mounts:
            yield problem(f"{where}.mount", place[1], "a place of its own", f"link {mounts[place]} has it")
        mounts[place] = link.name
        for service in link.services:
            for entry in service.entries:
                key = (link.share.casefold(), same_file(entry.file), entry.at.casefold())
                if key in entries:
                    remedy = f"{entries[key]} has it; one entry belongs to one service"
                    yield problem(
                        f"{where}.services.{service.name}.edits", f"{entry.file} {entry.at}", "it once", remedy
                    )
                entries[key] = f"{link.name}.{service.name}"


def _unknown_links(links: Mapping[str, Link], stacks: Sequence[StackPlan]) -> Iterator[str]:
    for stack in stacks:
        for name in stack.settings.links:
            if name not in links or links[name].host != stack.host:
                known = ", ".join(key for key, link in links.items() if link.host == stack.host) or "none"
                expected = f"a link of {stack.host}: {known}"
                yield problem(f"stacks.{stack.name}.links", name, expected, "declare it under `links`")
