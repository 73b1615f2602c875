"""`hypercompose:windows:ServiceConfig`: where the config files on a companion say that one service is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from provider.resource import Context, HalfMade, Properties, Resource
from provider.resources.step import address_of
from provider.resources.windows.entries import Entries, halves, values_in
from provider.values import UNKNOWN, is_known
from provisioning.claim import Problem
from provisioning.companion.service import Done, Edit, Service
from provisioning.companion.share import CompanionAway, HalfDone, Share
from provisioning.companion.windows import RestartFailed, restart
from provisioning.host import Address, CommandTimeout, ConnectionLost, HostUnreachable

WINDOWS = "windows"
PATIENCE_S = 120.0
AWAY = (HostUnreachable, CompanionAway, CommandTimeout)
"""Nobody is there to ask, or the share hangs."""


class ServiceConfig(Resource):
    """Inputs: `connection`, `vm`, `link` (`share`, `mount`), `owner`, `service`, `servedBy` (`windows`, or the host),
    `entries` (file -> selector -> `format`, `encoding`, `secret`, `keep`), `values` and `secretValues` (file ->
    selector -> value), `restarts`, `windowsHost`.

    Check adds `windows` and `secretWindows`: what stands there while Windows has the service.
    """

    type = "hypercompose:windows:ServiceConfig"
    replace_on = frozenset({"owner", "service"})
    delete_before_replace = True
    secrets = frozenset({"secretValues", "secretWindows"})

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """A companion is not exchanged under a service that points to containers."""
        if not olds or not all(is_known(inputs.get("link")) for inputs in (olds, news)):
            return
        old, new = str(olds["link"]["share"]), str(news["link"]["share"])
        if olds["servedBy"] != WINDOWS and _host(old) != _host(new):
            yield Problem(
                property="link.share",
                reason=f"{new!r} is on another companion than {old!r}, whose files point here; first take the service "
                "out of `containerised` and run `up`, then change the companion",
            )

    def complete(self, context: Context, urn: str, olds: Properties, news: Properties) -> Mapping[str, Any]:
        """The values of Windows, as the state knows them, else as they are read now; a host that is not there yet is
        asked when it is."""
        if not all(is_known(news[name]) for name in ("entries", "servedBy")):
            return {}  # the engine asks what would become of it if all that it depends on were replaced
        entries = Entries(news["entries"])
        known = {place: value for place, value in values_in(olds, "windows").items() if entries.has(place)}
        missing = [entry for entry in entries.selected if (entry.file, entry.at) not in known]
        if missing and is_known(news.get("connection")) and is_known(news.get("link")):
            known |= self._originals(context, news, entries, missing)
        wanted = self._wanted(context, entries, olds, news, known)
        values = {
            name: half for name, half in halves("values", wanted, entries).items() if news.get(name) is not UNKNOWN
        }
        return {**halves("windows", known, entries), **values}

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Point it to where it is to be. One that fails on its way stays in the state."""
        identity = f"{inputs['owner']}/{inputs['service']}"
        try:
            return identity, self._bring_about(context, inputs)
        except (HalfDone, RestartFailed, ConnectionLost, CommandTimeout) as error:
            raise HalfMade(identity, str(error)) from error

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """What the files say now; a companion that does not answer is unknown, and a warning."""
        entries = Entries(state["entries"])
        try:
            found = _service(context, state).values(entries.selected)
        except AWAY as error:
            context.unread(urn, error)
            return state
        now = {**state, **halves("values", found, entries)}
        return {**now, **halves("windows", found, entries)} if state["servedBy"] == WINDOWS else now

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Point it to where it is to be now."""
        return self._bring_about(context, news)

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Windows has it again. A companion that is gone keeps nobody waiting: what is left there is told."""
        service, known = _service(context, state), values_in(state, "windows")
        try:
            with _holding(context, state):
                _tell(context, service.give_back(known))
        except AWAY as error:
            if state["servedBy"] != WINDOWS:
                files = ", ".join(sorted(state["entries"]))
                context.warn("", f"{state['service']}: {files}: still as we wrote them, as {error}")
        except RestartFailed as error:
            context.warn("", str(error))

    def _originals(
        self, context: Context, news: Properties, entries: Entries, missing: list[Any]
    ) -> Mapping[tuple[str, str], str]:
        try:
            context.hosts.reach(address_of(news))
            return _service(context, news).originals(missing)
        except AWAY:
            return {}  # the mount comes first, and says what is in its way

    def _wanted(
        self, context: Context, entries: Entries, olds: Properties, news: Properties, windows: Mapping[Any, str]
    ) -> Mapping[tuple[str, str], Any]:
        """By entry: in Windows' hands what stands there, else what was asked for; what is kept, as it was last read."""
        if news["servedBy"] == WINDOWS:
            return windows
        given, before = values_in(news, "values"), values_in(olds, "values")
        kept = {place: before.get(place, windows.get(place, UNKNOWN)) for place in entries.kept}
        return {**given, **kept}

    def _bring_about(self, context: Context, inputs: Properties) -> Properties:
        service, known, entries = _service(context, inputs), values_in(inputs, "windows"), Entries(inputs["entries"])
        context.tell(f"config files of {inputs['service']}")
        with _holding(context, inputs):
            if inputs["servedBy"] == WINDOWS:
                done = service.give_back(known)
            else:
                values = values_in(inputs, "values")
                edits = [Edit(selected=entry, value=entries.value(entry, values)) for entry in entries.selected]
                done = service.point_here(edits, known)
        _tell(context, done)
        return {}


def _service(context: Context, inputs: Properties) -> Service:
    link, windows = inputs["link"], inputs.get("windowsHost")
    address = (
        Address(host=windows["host"], user=windows["user"], host_key=windows["hostKey"], port=int(windows["port"]))
        if windows
        else None
    )
    return Service(
        share=Share(hosts=context.hosts, address=address_of(inputs), name=str(link["share"]), mount=str(link["mount"])),
        owner=str(inputs["owner"]),
        name=str(inputs["service"]),
        restarts=tuple(inputs.get("restarts") or ()) if address else (),
        restart=lambda names: restart(context.ssh, address, names) if address else None,
    )


@contextmanager
def _holding(context: Context, inputs: Properties) -> Iterator[None]:
    """One at a time on a link."""
    name = f"link-{str(inputs['owner']).replace('/', '.')}"
    with context.hosts.holding(address_of(inputs), name, PATIENCE_S):
        yield


def _tell(context: Context, done: Done) -> None:
    for line in (*done.left, *done.notes):
        context.warn("", line)


def _host(share: str) -> str:
    return share.removeprefix("//").partition("/")[0].casefold()
