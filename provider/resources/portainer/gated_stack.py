"""`hypercompose:portainer:GatedStack`: a host's gate follows a ref, and releases to Portainer what is well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provider.resource import Context, HalfMade, Properties, Resource
from provider.resources.step import address_of
from provisioning.claim import Problem
from provisioning.errors import ProvisioningError
from provisioning.gate.config import Gated
from provisioning.gate.status import AS_WANTED as IS_AS_WANTED
from provisioning.gate.status import told as told_of
from provisioning.host import ConnectionLost, HostUnreachable
from provisioning.portainer.gated import Gate, GateRefused
from provisioning.steps.kind import AS_WANTED

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
LONGEST_INTERVAL_S = 86_400


class GatedStack(Resource):
    """Inputs: those of `provisioning.gate.config.Gated`, `interval` (a duration) in place of `interval_s`.

    Gives `asked` and `runningCommit` (commits of the source), `release`, `images` by service, and `why` another commit
    runs than the one asked for.
    """

    type = "hypercompose:portainer:GatedStack"
    replace_on = frozenset({"vm", "name", "place"})
    delete_before_replace = True
    defaults: ClassVar[Mapping[str, Any]] = {"state": AS_WANTED}

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """An interval that can be kept."""
        interval = news.get("interval")
        if isinstance(interval, str) and interval and not 1 <= seconds(interval) <= LONGEST_INTERVAL_S:
            yield Problem(property="interval", reason=f"{interval!r}, expected 1s to 24h, or nothing for webhooks only")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Its first release, for Portainer to take. One that is refused leaves nothing."""
        identity, gate = f"{inputs['connection']['host']}/{inputs['name']}", _gate(context, inputs)
        try:
            return identity, self._follow(context, inputs)
        except GateRefused as error:
            if error.status.get("running"):
                raise HalfMade(identity, _where(inputs, error)) from error
            gate.forget(str(inputs["name"]))
            raise ProvisioningError(_where(inputs, error)) from error
        except ConnectionLost as error:
            raise HalfMade(identity, _where(inputs, error)) from error

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """How it stands; None where the gate does not follow it."""
        try:
            found = _gate(context, state).status(str(state["name"]), settings_of(state))
        except HostUnreachable as error:
            context.unread(urn, error)
            return state
        if found is None:
            return None
        text = told_of(found)
        return {**state, "state": AS_WANTED if text == IS_AS_WANTED else text, **_outputs(found)}

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Bring it to the new inputs, whatever was refused before. What others have pushed fails no `up` of ours."""
        try:
            return self._follow(context, news)
        except GateRefused as error:
            if not news.get("commit") and error.status.get("running"):
                context.warn("", _where(news, error))
                return _outputs(error.status)
            raise ProvisioningError(_where(news, error)) from error

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Follow it no more; what runs is Portainer's to remove."""
        _gate(context, state).forget(str(state["name"]))

    def _follow(self, context: Context, inputs: Properties) -> Properties:
        settings = settings_of(inputs)
        context.tell(f"releasing {str(inputs.get('commit') or inputs['ref'])[:40]}")
        deadline_s = 3.0 * int(settings["timeout_s"])  # forward, and back
        found = _gate(context, inputs).follow(str(inputs["name"]), settings, deadline_s)
        return {**_outputs(found), "why": ""}


def settings_of(inputs: Properties) -> dict[str, Any]:
    """As the gate takes them."""
    found: dict[str, Any] = {
        "name": str(inputs["name"]),
        "url": str(inputs["url"]),
        "ref": str(inputs["ref"]),
        "path": str(inputs["path"]),
        "additional": list(inputs.get("additional") or ()),
        "user": str(inputs.get("user") or ""),
        "password": str(inputs.get("password") or ""),
        "authorities": str(inputs.get("authorities") or ""),
        "env": {key: str(value) for key, value in sorted((inputs.get("env") or {}).items())},
        "allowed_paths": list(inputs.get("allowedPaths") or ()),
        "interval_s": seconds(str(inputs.get("interval") or "")),
        "timeout_s": int(inputs.get("timeoutS") or 180),
        "commit": str(inputs.get("commit") or ""),
        "repushed": str(inputs.get("repushed") or "report"),
        "running": inputs.get("run") != "stopped",
        "hook": str(inputs.get("hook") or ""),
        "portainer": str(inputs["server"]["url"]),
        "certificate": str(inputs["server"]["certificate"]),
        "webhook": str(inputs["webhook"]),
        "hide": list(inputs.get("hide") or ()),
    }
    Gated(**found)  # names and number of them are the gate's own
    return found


def seconds(duration: str) -> int:
    """Of `1h2m3s`; 0 for nothing."""
    found = _DURATION.fullmatch(duration)
    hours, minutes, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + rest


def _gate(context: Context, inputs: Properties) -> Gate:
    return Gate(context.hosts, address_of(inputs))


def _outputs(found: Mapping[str, Any]) -> Properties:
    text = told_of(found)
    return {
        "asked": str(found["asked"]),
        "runningCommit": str(found["running"] or found["asked"]),
        "release": str(found["release"]),
        "images": dict(found["images"]),
        "why": "" if text == IS_AS_WANTED else text,
    }


def _where(inputs: Properties, error: Exception) -> str:
    return f"stack {inputs['name']} on {inputs['connection']['host']}: {error}"
