"""`python -m delivery.preflight --stack S [--json]`: 0 all is well, 1 something failed, 3 something is not known."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from delivery.preflight.check import exit_code
from delivery.preflight.run import preflight
from delivery.preflight.table import Report


def main(arguments: Sequence[str]) -> int:
    """Print the report."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    site, checks = preflight(options.stack)
    report = Report(stack=options.stack, site=site, seconds=time.monotonic() - began, checks=checks)
    for line in [report.data()] if options.json else report.table():
        print(line)
    return exit_code(checks)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make preflight", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--json", action="store_true", help="the same as data")
    return parser


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # whoever has not answered by now is not waited for
