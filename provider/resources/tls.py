"""`hypercompose:tls:Authority` and `:Certificate`: keys kept in the state, made again in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provider.resource import Context, Properties, Resource
from provisioning.claim import Problem
from provisioning.tls import USAGES, Pair, is_due, make_authority, make_certificate


class _Made(Resource):
    """What both have: `certificate`, and `key` as a secret."""

    secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    def due(self, state: Properties) -> bool:
        """Less than a third of its time is left."""
        return is_due(str(state.get("certificate") or ""))

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Make key and certificate."""
        made = self._pair(inputs)
        return str(inputs["name"]), {"certificate": made.certificate, "key": made.key}

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Make others."""
        return self.create(context, news)[1]

    def _pair(self, inputs: Properties) -> Pair:
        raise NotImplementedError


class Authority(_Made):
    """`name`, `domains`: those alone that it vouches for; none: any."""

    type = "hypercompose:tls:Authority"

    def _pair(self, inputs: Properties) -> Pair:
        return make_authority(str(inputs["name"]), list(inputs.get("domains") or ()))


class Certificate(_Made):
    """`name`, `usage` (server, client), `addresses`, `authority` with its `certificate` and `key`."""

    type = "hypercompose:tls:Certificate"

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """A usage that there is."""
        if news.get("usage") not in USAGES:
            yield Problem(property="usage", reason=f"{news.get('usage')!r}, expected one of {', '.join(USAGES)}")

    def _pair(self, inputs: Properties) -> Pair:
        found = inputs["authority"]
        return make_certificate(
            Pair(certificate=found["certificate"], key=found["key"]),
            str(inputs["name"]),
            usage=str(inputs["usage"]),
            addresses=list(inputs.get("addresses") or ()),
        )
