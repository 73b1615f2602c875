"""`make instance…`: instances of products, asked for and looked after by the people of the machine."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hosting import actions
from hosting.desk import Desk, open_desk
from hosting.errors import HostingError
from provisioning.errors import ProvisioningError
from settings import SettingsError

INTERRUPTED = 130
"""As shells tell a Ctrl-C."""
Action = Callable[[Desk, argparse.Namespace], int]


def main(arguments: list[str]) -> int:
    """Do one thing; 1 with a sentence where it could not be done."""
    options = _parser().parse_args(arguments)
    desk = None
    try:
        desk = open_desk(os.environ["HYPERCOMPOSE_SITE"], Path(options.folder), options.stack)
        return ACTIONS[options.what](desk, options)
    except (HostingError, ProvisioningError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with it, and so does the ticker", file=sys.stderr)
        return INTERRUPTED
    finally:
        if desk is not None:
            desk.close()


ACTIONS: Mapping[str, Action] = {
    "list": actions.show_all,
    "show": actions.show_one,
    "history": actions.show_history,
    "secrets": actions.show_secrets,
    "new": actions.new,
    "stop": actions.stop,
    "start": actions.start,
    "extend": actions.extend,
    "resize": actions.resize,
    "delete": actions.delete,
    "preview": actions.preview,
    "drift": actions.drift,
    "tick": actions.tick,
    "unit": actions.unit,
    "guard": actions.guard,
}


def _parser() -> argparse.ArgumentParser:
    """The command line; values come by the environment of make, where no shell takes them apart."""
    parser = argparse.ArgumentParser(prog="make instance-…", description=__doc__)
    parser.add_argument("what", choices=ACTIONS)
    parser.add_argument("--stack", required=True, help="the environment whose hosts are meant")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--name", default=os.environ.get("NAME", ""))
    parser.add_argument("--product", default=os.environ.get("PRODUCT", ""))
    parser.add_argument("--version", default=os.environ.get("VERSION", ""), help="default: the product's")
    parser.add_argument("--size", default=os.environ.get("SIZE", ""), help="default: the product's")
    parser.add_argument("--days", default=os.environ.get("DAYS", ""), help="days that it lasts, or more days")
    parser.add_argument("--tenant", default=os.environ.get("TENANT", ""), help="default: the site")
    parser.add_argument("--owner", default=os.environ.get("OWNER") or getpass.getuser(), help="who asks for it")
    parser.add_argument("--host", default=os.environ.get("HOST", ""), help="default: the one with most room")
    parser.add_argument(
        "--route", default=os.environ.get("ROUTE", ""), help="default: its name, where its host has some"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the product")
    parser.add_argument("--keep-volumes", action="store_true", help="delete: its data stays on the host")
    parser.add_argument("--abandon", action="store_true", help="delete: forget it, as its host is gone for good")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--once", action="store_true", help="tick: one look, not for ever")
    parser.add_argument("--every", type=float, default=15.0, help="tick: seconds between looks")
    parser.add_argument("--no-wait", action="store_true", help="only ask: the ticker does it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
