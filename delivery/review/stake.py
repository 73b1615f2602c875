"""What data a replacement or deletion touches, from the kinds of resources: what is lost, and what is kept where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from delivery.markdown import amount, code
from delivery.review.preview import Change, Digest

WORDS = {"replace": "replaced", "delete": "deleted"}


@dataclass(frozen=True, kw_only=True)
class Stake:
    """One piece of data and what becomes of it."""

    is_lost: bool
    text: str
    """Markdown."""


@dataclass(frozen=True, kw_only=True)
class _Gone:
    """Names of what goes, so that each rule looks once."""

    vms: frozenset[str]
    with_disks: frozenset[str]
    """VMs with data disks."""
    stacks: frozenset[str]
    """Stacks that are declared no more."""
    without_volumes: frozenset[str]
    """Stacks that take their volumes along."""
    losing: frozenset[str]
    """VMs whose data disks become fewer."""

    @classmethod
    def of(cls, changes: Sequence[Change]) -> _Gone:
        gone = [change for change in changes if change.operation in WORDS]

        def names(kind: str, what: Callable[[Change], str], holds: Callable[[Change], bool] = bool) -> frozenset[str]:
            return frozenset(what(change) for change in gone if change.kind == kind and holds(change))

        return cls(
            vms=names("VmLegacy", lambda change: change.name),
            with_disks=names("Filesystem", lambda change: change.component),
            stacks=names("PortainerStack", lambda change: change.name),
            without_volumes=names("Stack", lambda change: change.component, lambda change: not change.keeps_volumes),
            losing=frozenset(change.component for change in changes if _removed_disks(change)),
        )


Told = Iterator[tuple[bool, str]]
"""Whether it is lost, and the text."""


def stakes(digest: Digest) -> list[Stake]:
    """Everything at stake in a preview, what is lost first."""
    gone = _Gone.of(digest.changes)
    found = [stake for change in digest.changes if change.operation in WORDS for stake in _of(change, gone)]
    found += [_lost_disks(change) for change in digest.changes if _removed_disks(change)]
    return sorted(found, key=lambda stake: not stake.is_lost)


def _of(change: Change, gone: _Gone) -> Iterator[Stake]:
    rule = _RULES.get(change.kind)
    for is_lost, told in rule(change, gone) if rule else ():
        protected = "; it is protected, the engine refuses that" if change.is_protected else ""
        yield Stake(is_lost=is_lost, text=f"{told}{protected}")


def _vm(change: Change, gone: _Gone) -> Told:
    done, name = WORDS[change.operation], change.component or change.name
    if change.name == f"{name}-data-vm":
        yield True, f"VM {code(f'{name}-data')} is **{done}**: **the data disks in it are lost**"
        return
    text = f"VM {code(name)} is **{done}**: **its root disk is lost**, with all that Docker keeps on it"
    if name not in gone.with_disks:
        yield True, text
    elif f"{name}-data-vm" in gone.vms:
        yield True, f"{text}, **and its data disks are lost**"
    else:
        yield True, f"{text}; its data disks are kept (in VM {code(f'{name}-data')})"


def _filesystem(change: Change, gone: _Gone) -> Told:
    """Where its VM or its disk goes as well, their own lines tell it."""
    if change.lives_on not in gone.vms and change.component not in gone.losing:
        done = WORDS[change.operation]
        yield False, f"file system {code(change.name)} is **{done}**: unmounted, its data stay on the disk"


def _mount(change: Change, gone: _Gone) -> Told:
    yield False, f"mount {code(change.name)} is **{WORDS[change.operation]}**: unmounted, nothing in it is touched"


def _stack(change: Change, gone: _Gone) -> Told:
    """Its component tells where it goes as well: beside its VM the stack itself is no step."""
    is_stack = change.kind == "Stack"
    if is_stack and change.component in gone.stacks:
        return
    vm = change.lives_on if is_stack else f"{change.above.removesuffix('-portainer')}-vm"
    text = f"stack {code(change.component)} is **{WORDS[change.operation]}**"
    if vm in gone.vms:
        yield True, f"{text}: **its named volumes are lost** with VM {code(vm.removesuffix('-vm'))}"
    elif change.component not in gone.without_volumes:
        yield False, f"{text}: its named volumes are kept on the host"
    else:
        yield True, f"{text}: **its named volumes are lost** (`keep_volumes` is off)"


def _portainer(change: Change, gone: _Gone) -> Told:
    if change.is_component:  # the container below it tells
        return
    host = change.component.removesuffix("-portainer")
    text = f"Portainer on {code(host)} is **{WORDS[change.operation]}**"
    if change.lives_on in gone.vms:
        yield True, f"{text}: **its own data are lost** with VM {code(host)}"
    else:
        yield False, f"{text}: its own data are kept in a volume on the host"


def _password(change: Change, gone: _Gone) -> Told:
    if change.operation == "replace":
        yield True, f"password {code(change.name)} is **replaced**: what was made with the old one does not know it"
    else:
        yield True, f"password {code(change.name)} is **deleted**: it is kept nowhere else"


def _removed_disks(change: Change) -> int:
    """How many data disks go with an update of the VM that holds them."""
    if change.operation != "update" or change.kind != "VmLegacy" or not change.name.endswith("-data-vm"):
        return 0
    return sum(bool(re.fullmatch(r"disks\[\d+\]", path)) for path in change.removed)


def _lost_disks(change: Change) -> Stake:
    disks, holder = amount(_removed_disks(change), "data disk"), code(change.name.removesuffix("-vm"))
    return Stake(is_lost=True, text=f"VM {holder} loses {disks}: **the data are lost**")


_RULES = {
    "VmLegacy": _vm,
    "Filesystem": _filesystem,
    "Mount": _mount,
    "Stack": _stack,
    "PortainerStack": _stack,
    "PortainerServer": _portainer,
    "Password": _password,
}
