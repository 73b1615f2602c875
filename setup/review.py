"""`make review`: previews stacks one after the other, each on its own site, and makes one comment of them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from setup.lab import lab
from setup.places import CHECKOUT
from setup.report import SetupError, say
from setup.session import Session, open_session
from setup.sites import site_of
from setup.stack import init
from setup.state.guard import usable

COMMENT = [sys.executable, "-m", "delivery.review", "comment"]
NOT_MADE = "the stack is not there yet and could not be made; `make preview` shows why"


def review(arguments: Sequence[str]) -> int:
    """Preview the stacks, print the comment, post it where that is asked for; fails when a preview does."""
    options, passed_on = _parser().parse_known_args(arguments)
    chosen = _chosen(options)
    with tempfile.TemporaryDirectory(prefix="hypercompose-review-") as folder:
        digests = [_digest(stack, options.site, Path(folder) / str(n)) for n, stack in enumerate(chosen["stacks"])]
        lists = [f"--left-out={' '.join(chosen['left_out'])}", f"--removed={' '.join(chosen['removed'])}"]
        line = [*COMMENT, f"--commit={_commit()}", *lists, *passed_on, *map(str, digests)]
        return subprocess.run(line, cwd=CHECKOUT, check=False).returncode


def _chosen(options: argparse.Namespace) -> dict[str, list[str]]:
    """Those that were named, or those that the change affects."""
    if not options.base:
        stacks = list(dict.fromkeys(options.stacks.split()))
        if not stacks:
            raise SetupError(
                "STACKS: name them, STACKS='acceptance integration', or a base, ARGS='--base origin/main'."
            )
        return {"stacks": stacks, "left_out": [], "removed": []}
    limit = [f"--limit={options.limit}"] if options.limit else []
    line = [sys.executable, "-m", "delivery.review.affected", f"--base={options.base}", *limit]
    done = subprocess.run(line, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)  # it has said why
    return dict(json.loads(done.stdout))


def _digest(stack: str, site: str, file: Path) -> Path:
    """Preview a stack and keep names alone, in `file`: values only ever pass through a pipe."""
    say(f"── {stack}")
    session: Session | None = None
    try:
        session = open_session(stack, site or site_of(stack))
        return _kept(session, stack, *_previewed(session), file)
    except SetupError as problem:  # the other stacks go on
        return _kept(session, stack, 1, str(problem), file)


def _previewed(session: Session) -> tuple[int, str]:
    """How the preview ended and what it said, on both streams: what fails beside the plan is in no JSON."""
    lab(session, "up")
    if usable(session) is None and init(session):
        raise SetupError(NOT_MADE)
    line = ["pulumi", "preview", "--json", "--stack", session.stack]
    done = subprocess.run(line, cwd=CHECKOUT, env=session.environment(), capture_output=True, text=True, check=False)
    return done.returncode, f"{done.stderr}\n{done.stdout}"


def _kept(session: Session | None, stack: str, code: int, said: str, file: Path) -> Path:
    """The digest, made where the site's secrets are known, so that none of them stays in an error."""
    line = [sys.executable, "-m", "delivery.review", "digest"]
    options = [f"--stack={stack}", f"--site={session.site.id if session else ''}", f"--code={code}"]
    env = session.environment() if session else None
    with file.open("w") as out:
        subprocess.run([*line, *options], cwd=CHECKOUT, env=env, input=said, stdout=out, text=True, check=True)
    return file


def _commit() -> str:
    """What is checked out; empty where git does not know."""
    line = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make review", description=__doc__, allow_abbrev=False)
    parser.add_argument("--stacks", default="", help="names, with spaces between")
    parser.add_argument("--site", default="", help="default: each stack's own")
    parser.add_argument("--base", default="", help="preview what the change since this commit affects")
    parser.add_argument("--limit", type=int, default=0, help="how many of those at most")
    return parser
