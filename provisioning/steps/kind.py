"""A kind of step: what its arguments must be, and the step that they mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import Facts, differences, like
from provisioning.steps.step import Step

Arguments = Mapping[str, Any]
AS_WANTED = "as wanted"


class Kind(ABC):
    """One per file, with a shell file of the same name. Stateless."""

    name: ClassVar[str]
    """Last part of the resource type: `Sysctl` is `hypercompose:host:Sysctl`."""
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Arguments whose change is another thing, not this one changed: a user's name."""
    stable: ClassVar[frozenset[str]] = frozenset()
    """Outputs that no change of an argument changes."""
    can_lock_out: ClassVar[bool] = False
    """Whether a mistake in it could close the SSH that it came by: then a new connection is tried afterwards."""

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Reasons to refuse known arguments, found without the host."""
        return iter(())

    @abstractmethod
    def step(self, name: str, args: Arguments) -> Step:
        """The step on a host where it is called `name`."""

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """The arguments as the host has them. What is found and is no argument is told by `state`."""
        wanted = self.step("read", args).wanted
        now = {name: like(found.get(name), args[name]) for name in wanted if name in args}
        aside = [
            f"{' '.join(path)}: {_shown(have)} (wanted {_shown(want)})"
            for path, have, want in differences(wanted, found)
            if path[0] not in args
        ]
        return {**args, **now, "state": "; ".join(aside) or AS_WANTED}

    def outputs(self, found: Facts) -> dict[str, Any]:
        """What the resource gives beside its arguments."""
        return {}


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else " ".join(value) or "none"
