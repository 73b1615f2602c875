"""High availability: resources, rules, and the groups of older versions. Kept and shown; nothing moves by itself."""

from __future__ import annotations

from dataclasses import dataclass

from lab.pve.errors import failure
from lab.pve.properties import words
from lab.pve.routing import Call, needs, route
from lab.pve.state import Record

_READ, _WRITE = needs("/", "Sys.Audit"), needs("/", "Sys.Console")
_NUMBERS = ("max_restart", "max_relocate", "disable", "strict", "nofailback", "restricted", "failback")


@dataclass(frozen=True)
class Collection:
    """One kind of object under /cluster/ha."""

    name: str
    key: str
    missing: str
    taken: str

    def items(self, call: Call) -> dict[str, Record]:
        """All objects by key."""
        return call.cluster.state.objects.setdefault(self.name, {})

    def item(self, call: Call) -> Record:
        """The object in the path."""
        name = call.names[self.key]
        if name not in self.items(call):
            raise failure(self.missing.format(name))
        return self.items(call)[name]

    def shown(self, name: str, item: Record) -> Record:
        """As the API answers it."""
        implied = {"resources": {"type": name.partition(":")[0], "state": "started"}, "groups": {"type": "group"}}
        return implied.get(self.name, {}) | {self.key: name} | item


COLLECTIONS = (
    Collection("resources", "sid", "no such resource '{}'", "resource ID '{}' already defined"),
    Collection("rules", "rule", "no such ha rule '{}'", "HA rule '{}' already defined"),
    Collection("groups", "group", "no such ha group '{}'", "HA group '{}' already defined"),
)


def _typed(params: dict[str, str], key: str) -> Record:
    kept = {name: text for name, text in params.items() if name not in (key, "delete", "digest")}
    return {name: int(text) if name in _NUMBERS else text for name, text in kept.items()}


def _register(kind: Collection) -> None:
    base = f"/cluster/ha/{kind.name}"
    one = f"{base}/{{{kind.key}}}"

    @route("GET", base, _READ)
    async def list_all(call: Call) -> object:
        return [kind.shown(name, item) for name, item in kind.items(call).items()]

    @route("POST", base, _WRITE)
    async def create(call: Call) -> object:
        name = call.params.text(kind.key)
        if name in kind.items(call):
            raise failure(kind.taken.format(name))
        kind.items(call)[name] = _typed(call.params, kind.key)
        return None

    @route("GET", one, _READ)
    async def read(call: Call) -> object:
        return kind.shown(call.names[kind.key], kind.item(call)) | {"digest": "0" * 40}

    @route("PUT", one, _WRITE)
    async def change(call: Call) -> object:
        item = kind.item(call)
        for name in words(call.params.get("delete", "")):
            item.pop(name, None)
        item |= _typed(call.params, kind.key)
        return None

    @route("DELETE", one, _WRITE)
    async def delete(call: Call) -> object:
        kind.item(call)
        del kind.items(call)[call.names[kind.key]]
        return None


for _collection in COLLECTIONS:
    _register(_collection)
