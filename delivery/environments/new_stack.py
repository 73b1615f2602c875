"""A new environment from one that is there: own names, VM ids, bridge, addresses, checked before it is written."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from delivery.environments.catalog import Environment, environment, environments
from delivery.environments.free import Free
from settings.environment import known_classes
from settings.errors import SettingsError
from settings.program import NAMESPACE, read_program
from settings.site import CHECKOUT, Network, load_site
from settings.stack_file import StackFile, readable

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
OWN_SECRETS = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What only the old stack's passphrase or key opens."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for; everything but the names has an answer of its own."""

    name: str
    source: str
    site: str | None = None
    environment_class: str | None = None
    bridge: str | None = None


@dataclass
class Made:
    """The text of the new file, and what a person should know of it."""

    text: str
    notes: list[str] = field(default_factory=list)


def new_stack(wish: Wish, checkout: Path = CHECKOUT) -> tuple[Path, list[str]]:
    """Write Pulumi.<name>.yaml; never over another file. Raises SettingsError, and then nothing is written."""
    file = checkout / f"Pulumi.{wish.name}.yaml"
    if not NAME.fullmatch(wish.name):
        raise SettingsError("NAME", [f"{wish.name!r}, expected small letters, digits and `-`, such as casino-x"])
    if file.exists():
        raise SettingsError("NAME", [f"{file.name} is there already; choose another name, or remove that file"])
    made = derived(wish, checkout)
    with file.open("x") as out:
        out.write(made.text)
        out.flush()
        os.fsync(out.fileno())
    return file, made.notes


def derived(wish: Wish, checkout: Path) -> Made:
    """The new file's text, checked as `pulumi up` would. Raises SettingsError."""
    old = environment(wish.source, checkout)
    if old.settings is None:
        raise SettingsError("FROM", [f"the settings of {wish.source} are wrong themselves: {old.error}"])
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load((checkout / f"Pulumi.{wish.source}.yaml").read_text())
    made = Made(text="")
    made.notes += _without_secrets(content)
    _Rewriting(wish, old, environments(checkout), content["config"], made.notes).rewrite()
    written = io.StringIO()
    yaml.dump(content, written)
    made.text = written.getvalue()
    made.notes += _problems(wish.name, YAML(typ="safe").load(made.text)["config"])
    return made


def _without_secrets(content: Any) -> Iterator[str]:
    for key in OWN_SECRETS:
        content.pop(key, None)
    config = content["config"]
    for key in [key for key, value in config.items() if _is_secret(value)]:
        del config[key]
        yield f"set its own secret: pulumi config set --secret {key}"


def _is_secret(value: Any) -> bool:
    """An encrypted value, or one that holds such."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(_is_secret, value.values()))
    return isinstance(value, list) and any(map(_is_secret, value))


def _problems(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What is still to do. Raises SettingsError for what makes the file useless."""
    raw = StackFile(name=f"Pulumi.{name}.yaml", values={key: readable(value) for key, value in config.items()}).raw
    errors = read_program(name, raw).errors
    for part in ("settings", "site", "vms"):
        if part in errors:
            raise errors[part]
    yield from (str(error) for error in errors.values())


class _Rewriting:
    """Changes the loaded file in place, so that its comments stay."""

    def __init__(
        self, wish: Wish, old: Environment, all_: Sequence[Environment], config: Any, notes: list[str]
    ) -> None:
        self.wish, self.old, self.config, self.notes = wish, old, config, notes
        self.site = load_site(wish.site or old.site)
        self.free = Free(self.site, [one for one in all_ if one.site == self.site.id])

    def rewrite(self) -> None:
        """Site, class, VMs with their networks, then sources that named the old network."""
        if self.wish.site:
            self._set("site", self.wish.site)
        if self.wish.environment_class:
            if self.wish.environment_class not in known_classes():
                known = ", ".join(known_classes())
                raise SettingsError("CLASS", [f"{self.wish.environment_class!r}, expected one of {known}"])
            self._set("class", self.wish.environment_class)
        for index, group in enumerate(self.config.get(f"{NAMESPACE}:vms") or ()):
            self._group(group, index)

    def _set(self, key: str, value: str) -> None:
        self.config[f"{NAMESPACE}:{key}"] = value

    def _group(self, group: Any, index: int) -> None:
        naming = "name" if group.get("name") else "prefix"
        group[naming] = self._named(str(group[naming]), index)
        count = int(group.get("count", 1))
        for key in ("first_id", "data_first_id"):
            if group.get(key) is not None:
                group[key] = self.free.ids(count)
                self.notes.append(f"{group[naming]}: {key} {group[key]}")
        for number, override in (group.get("overrides") or {}).items():
            for key in ("id", "addresses"):
                if override.pop(key, None) is not None:
                    self.notes.append(f"{group[naming]}: overrides.{number}.{key} is left out; say a new one if needed")
        for at, nic in enumerate(group.get("networks") or ()):
            self._nic(nic, at, count, str(group[naming]))

    def _named(self, old: str, index: int) -> str:
        if self.wish.source in old:
            return old.replace(self.wish.source, self.wish.name)
        return f"vm-{self.wish.name}" + (f"-{index + 1}" if index else "")

    def _nic(self, nic: Any, at: int, count: int, name: str) -> None:
        before = self._network(nic)
        nic["bridge"] = self._bridge(str(nic["bridge"]), at)
        after = self._network(nic)
        if nic.get("address", "dhcp") != "dhcp" and after is not None:
            nic["address"] = self.free.addresses(after, count, str(nic["address"]))
            nic.pop("gateway", None)
            self.notes.append(f"{name}: {nic['bridge']} {nic['address']}")
        if before is not None and after is not None and before != after:
            _replace(self.config, str(before.cidr), str(after.cidr))

    def _network(self, nic: Any) -> Network | None:
        return self.site.network(str(nic["bridge"]), nic.get("vlan"))

    def _bridge(self, old: str, at: int) -> str:
        own = old.replace(self.wish.source, self.wish.name)
        if self.wish.bridge and at == 0:
            if self.wish.bridge not in self.site.proxmox.bridges:
                known = ", ".join(self.site.proxmox.bridges)
                raise SettingsError("BRIDGE", [f"{self.wish.bridge!r}, expected one of {known}"])
            return self.wish.bridge
        if own != old and own not in self.site.proxmox.bridges:
            self.notes.append(
                f"it shares {old} with {self.wish.source}: site {self.site.id} has no {own}; BRIDGE=… names another"
            )
        return own if own in self.site.proxmox.bridges else old


def _replace(value: Any, old: str, new: str) -> None:
    """Every text that is exactly `old`, at any depth."""
    items: Callable[[], Any] = value.items if isinstance(value, dict) else lambda: enumerate(value)
    for key, inner in list(items()):
        if isinstance(inner, dict | list):
            _replace(inner, old, new)
        elif inner == old:
            value[key] = new
