"""Shell lines: `eval "$(make -s env)"` in sh and bash, whatever the values hold."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from setup.report import SetupError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def shell_lines(variables: Mapping[str, str | None], comments: Iterable[str] = ()) -> str:
    """Exports (None: unset), then comments: last, so that an eval without quotes loses nothing to them."""
    lines = [_line(name, value) for name, value in variables.items()]
    lines += [f"# {comment}" for comment in comments]
    return "\n".join(lines)


def read_exports(file: Path) -> dict[str, str]:
    """Variables of a credentials file, lines of `export NAME=value`; raises SetupError on anything else."""
    if not file.exists():
        return {}
    if file.stat().st_mode & 0o077:
        raise SetupError(f"{file}: others can read these credentials; run `chmod 600 {file}`.")
    variables = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        words = _words(line)
        name, separator, value = "".join(words[-1:]).partition("=")
        if words and (not separator or not NAME.match(name) or words[:-1] not in ([], ["export"])):
            raise SetupError(f"{file}, line {number}: expected `export NAME=value`.")  # never the line: it is secret
        if words:
            variables[name] = value
    return variables


def _words(line: str) -> list[str]:
    """A line as the shell splits it, without comments; unbalanced quotes give something that is refused."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return ["?"]


def _line(name: str, value: str | None) -> str:
    """One export; a name that is not one would run as a command."""
    if not NAME.match(name):
        raise SetupError(f"{name!r} is not a name of a variable.")
    return f"unset {name};" if value is None else f"export {name}={shlex.quote(value)};"
