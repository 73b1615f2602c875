"""`python3 -m setup <command>`: runs on a bare Python, makes the environment, then goes on inside it."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (an older Python gets a sentence, not a traceback)
    sys.exit("python3: version 3.11 or newer is needed, this is %d.%d." % sys.version_info[:2])  # noqa: UP031

import os

from setup.places import CHECKOUT, VENV
from setup.report import SetupError
from setup.venv import ensure_venv


def main() -> int:
    """Make sure of `.venv`, then run the command in it."""
    try:
        python = ensure_venv()
        if sys.prefix != str(VENV):
            # From here on the locked packages are at hand; the command line stays the same.
            os.chdir(CHECKOUT)
            os.execv(python, [str(python), "-m", "setup", *sys.argv[1:]])  # noqa: S606
        from setup.commands import run

        return run(sys.argv[1:])
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
