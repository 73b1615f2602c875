"""`python -m delivery.drift`: reads the state (`pulumi stack export`) from standard input, compares, reports."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from delivery.drift.engine import Ended, preview
from delivery.drift.examine import Subject, report_of
from delivery.drift.record import write_record
from delivery.drift.report import Report
from delivery.drift.text import lines

NOT_MADE = 1
LIMIT_S = 120.0


class Parser(argparse.ArgumentParser):
    """Ends with 1 on a wrong command line: argparse's 2 would say `drifted`."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message."""
        self.print_usage(sys.stderr)
        self.exit(NOT_MADE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str]) -> int:
    """0 clean, 1 no report could be made, 2 drifted, 3 something is unknown and nothing known to have drifted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(NOT_MADE))
    state = json.load(sys.stdin)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = preview(options.stack, options.timeout)
    if ended.code and not ended.run.began:
        print(f"drift: no report: {_why(ended)}", file=sys.stderr)
        return NOT_MADE
    report = report_of(Subject(stack=options.stack, site=options.site, at=at), state, ended.run)
    _leave(report, options)
    return report.exit_code


def _leave(report: Report, options: argparse.Namespace) -> None:
    write_record(options.folder, report)
    if options.prometheus:
        from delivery.drift.metrics import write_metrics  # a tenth of a second that most runs need not spend

        write_metrics(options.prometheus, report)
    if options.json:
        json.dump(report.document(), sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        print("\n".join(lines(report)))


def _why(ended: Ended) -> str:
    said: list[Any] = [*ended.run.errors, ended.stderr.strip(), f"pulumi ended with {ended.code}"]
    return str(next(filter(None, said)))


def _parser() -> Parser:
    parser = Parser(prog="drift", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack")
    parser.add_argument("--site", required=True, help="its site")
    parser.add_argument("--folder", required=True, type=Path, help="where the report is kept, as drift/<stack>.json")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--prometheus", type=Path, metavar="FILE", help="write a file for node-exporter's collector")
    parser.add_argument("--timeout", type=float, default=LIMIT_S, metavar="S", help="what answers later is unknown")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
