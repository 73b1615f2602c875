"""`python -m delivery.review digest|comment`: previews to names, names to a comment, and the comment to its place."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from delivery.review.comment import MARKER, comment
from delivery.review.drift import read_drift
from delivery.review.preview import Digest, PreviewError, digest
from delivery.review.publishing import PublishingError
from delivery.review.redact import Redactor
from delivery.review.section import Reviewed


def main(arguments: Sequence[str]) -> int:
    """Run a command; 0 when it did all it should."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (PreviewError, PublishingError, OSError) as error:
        print(f"review: {error}", file=sys.stderr)
        return 1


def _digest(options: argparse.Namespace) -> int:
    redactor = Redactor.of_environment(os.environ)
    print(digest(options.stack, sys.stdin.read(), options.code, redactor, options.site).to_json())
    return 0


def _comment(options: argparse.Namespace) -> int:
    reviewed = [_reviewed(Path(file), options.drift) for file in options.digests]
    text = comment(reviewed, commit=options.commit, left_out=options.left_out.split(), removed=options.removed.split())
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # whatever the pipeline's locale is
    print(text, end="", flush=True)
    if options.post:
        _post(text)
    return 1 if any(one.digest.errors for one in reviewed) else 0


def _reviewed(file: Path, drift: str) -> Reviewed:
    found = Digest.from_json(file.read_text())
    report = Path(drift) / f"{found.stack}.json"
    return Reviewed(digest=found, drift=read_drift(report.read_text()) if drift and report.is_file() else None)


def _post(text: str) -> None:
    from delivery.review.bitbucket import Bitbucket

    published = Bitbucket.of_environment(os.environ).publish(text, MARKER)
    done = "created" if published.is_new else "edited"
    print(f"review: comment {done} {published.url} {published.note}".strip(), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m delivery.review", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("digest", help="what `pulumi preview --json` said (standard input), as names only")
    one.set_defaults(run=_digest)
    one.add_argument("--stack", required=True, help="name of the stack")
    one.add_argument("--site", default="", help="name of its site")
    one.add_argument("--code", type=int, default=0, help="how the preview ended")
    whole = commands.add_parser("comment", help="the comment of all digests, on standard output")
    whole.set_defaults(run=_comment)
    whole.add_argument("digests", nargs="*", help="files of `digest`")
    whole.add_argument("--commit", default="", help="what was previewed")
    whole.add_argument("--drift", default="", help="folder of drift reports, <stack>.json")
    whole.add_argument("--left-out", default="", help="stacks that are affected as well, without a preview")
    whole.add_argument("--removed", default="", help="stacks whose settings are gone")
    whole.add_argument("--post", action="store_true", help="put it on the pull request that BITBUCKET_… name")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
