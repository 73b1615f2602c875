"""What each command of hosting does."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hosting import events, listing, naming, request, wishes
from hosting import extend as more_time
from hosting.demand import MOST_DAYS
from hosting.desk import Desk
from hosting.errors import DemandRefused, NotThere
from hosting.listing import Filter, Listed
from hosting.model import Instance
from hosting.order import Order
from hosting.products import demand_of, product_named, resized, route_of
from hosting.report import line_of, lines_of, plain
from hosting.unit import unit_text

DAYS = 14
MOST_NAMES = 8
"""That an error lists."""
OK, FAILED, DRIFTED = 0, 1, 2


def show_all(desk: Desk, options: argparse.Namespace) -> int:
    """Every instance of the site."""
    found = _listed(desk)
    print(json.dumps([plain(each) for each in found], indent=2) if options.json else "\n".join(lines_of(found)))
    return OK


def show_one(desk: Desk, options: argparse.Namespace) -> int:
    """One instance, with what its stack tells."""
    found = _one(desk, options)
    told = desk.worker.engine.run("outputs", _order(desk, options)).get("outputs", {})
    print(json.dumps({**plain(found), "told": told}, indent=2))
    return OK


def show_history(desk: Desk, options: argparse.Namespace) -> int:
    """What happened to it, the newest first."""
    with desk.database.read() as session:
        found = events.history(session, options.name)
    if not found:
        _one(desk, options)
    for event in found:
        print(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.what:22} {event.who}  {' '.join(event.text.split())}".rstrip())
    return OK


def show_secrets(desk: Desk, options: argparse.Namespace) -> int:
    """Passwords that were made up for it, to whoever has the state's passphrase."""
    found = desk.worker.engine.run("secrets", _order(desk, options)).get("secrets", {})
    print(json.dumps(found, indent=2))
    return OK


def new(desk: Desk, options: argparse.Namespace) -> int:
    """Ask for one, and bring it up."""
    demand = demand_of(desk.site, options, _days(options.days or str(DAYS)))
    desk.ticker.reconcile()  # who listens where is looked at before ports are given
    made = desk.database.transact(request.request, demand, now=_now(), max_days=desk.site.hosting.max_days)
    print(f"{made.name}: {made.product} {made.version}, {made.size}, on {made.host}")
    return _carried_out(desk, options, made)


def stop(desk: Desk, options: argparse.Namespace) -> int:
    """It shall not run; its data stays."""
    return _carried_out(desk, options, _asked(desk, options, wishes.stop))


def start(desk: Desk, options: argparse.Namespace) -> int:
    """It shall run."""
    return _carried_out(desk, options, _asked(desk, options, wishes.start))


def extend(desk: Desk, options: argparse.Namespace) -> int:
    """More time; one that has expired runs again."""
    by, most = _days(options.days), desk.site.hosting.max_days
    _one(desk, options)
    done = desk.database.transact(more_time.extend, options.name, now=_now(), who=options.owner, by=by, max_days=most)
    return _carried_out(desk, options, done)


def resize(desk: Desk, options: argparse.Namespace) -> int:
    """Another size, version, settings or name."""
    found = _instance(desk, options)
    change = resized(desk.site, options, found)
    if options.route:
        route = route_of(product_named(found.product), options.route, options.name)
        desk.database.transact(naming.give_name, options.name, route, now=_now(), who=options.owner)
    done = desk.database.transact(wishes.resize, options.name, now=_now(), who=options.owner, **change)
    return _carried_out(desk, options, done)


def delete(desk: Desk, options: argparse.Namespace) -> int:
    """It goes with all that it has, but for its data where that is told."""
    given = {"keep_volumes": options.keep_volumes}
    _one(desk, options)
    done = desk.database.transact(wishes.delete, options.name, now=_now(), who=options.owner, **given)
    if options.abandon:
        desk.worker.abandon(done.id, _say)
    return _carried_out(desk, options, done)


def preview(desk: Desk, options: argparse.Namespace) -> int:
    """What the engine would change."""
    return _changes(desk, options, OK)


def drift(desk: Desk, options: argparse.Namespace) -> int:
    """What differs from its row in the world; 2 where something does."""
    return _changes(desk, options, DRIFTED)


def tick(desk: Desk, options: argparse.Namespace) -> int:
    """Look after everything, once or until told to end."""
    if options.once:
        desk.ticker.tick()
        return OK
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    desk.ticker.run(ended, options.every)
    return OK


def unit(desk: Desk, options: argparse.Namespace) -> int:
    """A unit of systemd that runs the ticker on this machine, to be put into /etc/systemd/system."""
    print(unit_text(options.stack, desk.site.id), end="")
    return OK


def guard(desk: Desk, options: argparse.Namespace) -> int:
    """Whether an environment may go: 1 while instances are on its hosts."""
    there = [each.name for each in _listed(desk) if each.host.startswith(f"{options.stack}/")]
    if there:
        print(
            f"stack {options.stack}: {', '.join(there[:MOST_NAMES])} {'are' if len(there) > 1 else 'is'} on its hosts; "
            "`make instance-delete NAME=…` first, or their data would go with it"
        )
    return FAILED if there else OK


def _asked(desk: Desk, options: argparse.Namespace, wish: Callable[..., Instance]) -> Instance:
    _one(desk, options)
    return desk.database.transact(wish, options.name, now=_now(), who=options.owner)


def _carried_out(desk: Desk, options: argparse.Namespace, instance: Instance) -> int:
    """Bring it to what was asked for, at once unless told otherwise."""
    if not options.no_wait:
        desk.worker.settle(instance.id, _say)
    left = [each for each in _listed(desk, Filter(name=instance.name)) if each.id == instance.id]
    if not left:
        print(f"{instance.name}: gone")
        return OK
    print(line_of(left[0]))
    return FAILED if left[0].why else OK


def _changes(desk: Desk, options: argparse.Namespace, code: int) -> int:
    changes = desk.worker.engine.run("preview", _order(desk, options), _say).get("changes", {})
    return code if changes else OK


def _listed(desk: Desk, which: Filter | None = None) -> list[Listed]:
    with desk.database.read() as session:
        return listing.listing(session, which, now=_now())


def _one(desk: Desk, options: argparse.Namespace) -> Listed:
    """The instance that is meant. NotThere with those that are there."""
    if found := _listed(desk, Filter(name=options.name)):
        return found[0]
    there = _listed(desk)
    known = ", ".join(each.name for each in there[:MOST_NAMES]) or "none is there"
    more = f" and {len(there) - MOST_NAMES} more" if len(there) > MOST_NAMES else ""
    raise NotThere(
        f"NAME={options.name}: no such instance, expected one of: {known}{more}; `make instances` lists them"
    )


def _instance(desk: Desk, options: argparse.Namespace) -> Instance:
    """The same as a row."""
    _one(desk, options)
    with desk.database.read() as session:
        return listing.find(session, options.name)


def _order(desk: Desk, options: argparse.Namespace) -> Order:
    """What its engine is asked for."""
    return desk.worker.order_of(_instance(desk, options))


def _days(given: str) -> timedelta:
    try:
        days = float(given)
        if not 0 < days <= MOST_DAYS:
            raise ValueError
    except ValueError:
        expected = f"a number of days above 0, at most {MOST_DAYS}"
        raise DemandRefused(f"DAYS={given}: expected {expected}, as in DAYS=14") from None
    return timedelta(days=days)


def _say(line: str) -> None:
    print(line, flush=True)


def _now() -> datetime:
    return datetime.now(UTC)
