"""The commands behind make: each makes sure of the set-up, then does one thing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from setup.driver import COMMANDS
from setup.environments import COMMANDS as ENVIRONMENTS
from setup.exports import shell_lines
from setup.places import POLICIES
from setup.quality import CHECKOUT_COMMANDS
from setup.report import SetupError, say
from setup.review import review
from setup.session import Session, open_session
from setup.stack import init
from setup.state.guard import usable

# `review` opens a session for each stack itself.
WITHOUT_STACK = {**CHECKOUT_COMMANDS, "review": review, **ENVIRONMENTS}


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, passed_on = _parser().parse_args(arguments[:at]), arguments[at + 1 :]
    if options.command in WITHOUT_STACK:
        return WITHOUT_STACK[options.command](passed_on)
    session = open_session(options.stack, options.site or None)
    return env(session) if options.command == "env" else COMMANDS[options.command](session, passed_on)


def env(session: Session) -> int:
    """Print what a shell needs; people read the same facts on stderr."""
    for comment in session.comments():
        say(comment)
    if session.site.is_lab:
        _ready_for_plain_pulumi(session)
    print(shell_lines({**session.exports(), "PULUMI_OPTION_POLICY_PACK": str(POLICIES)}, session.comments()))
    return 0


def _ready_for_plain_pulumi(session: Session) -> None:
    """On the lab the stack is made as well; the lab itself takes too long to be started by the way."""
    try:
        if usable(session) is None:
            init(session)
    except SetupError as problem:
        say(str(problem))  # the shell is needed all the more
    if session.site.credentials and not session.site.credentials.exists():
        say("the lab is not there yet: `make lab-up`, then eval this again")


def _parser() -> argparse.ArgumentParser:
    """The command line. The Makefile says what each command is for."""
    parser = argparse.ArgumentParser(
        prog="python3 -m setup", description=__doc__, epilog="What follows -- is passed on."
    )
    parser.add_argument("command", choices=["env", *COMMANDS, *WITHOUT_STACK])
    parser.add_argument("--stack", default="lab")
    parser.add_argument("--site", default="", help="default: the stack's own")
    return parser
