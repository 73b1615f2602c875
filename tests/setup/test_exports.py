"""Shell lines survive any value, in sh and in bash; credentials are read without running them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from setup.exports import read_exports, shell_lines
from setup.report import SetupError

HOSTILE = [
    "plain",
    "",
    "it's",
    '"; rm -rf /; "',
    "$(touch pwned) `touch pwned`",
    "a\nb",
    "back\\slash",
    "#comment",
    "é ☃",
    "* ? [a]",
    "!history",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_any_value_arrives_as_it_is(shell: str, value: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    (tmp_path / "lines").write_text(shell_lines({"GONE": None, "VALUE": value}, ["stack lab", "it's a comment"]))
    script = 'GONE=1; eval "$(cat lines)"; printf "%s|%s" "$VALUE" "${GONE-unset}"'
    said = subprocess.run([shell, "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert said.stdout.decode() == f"{value}|unset"
    assert said.stderr == b""
    assert not (tmp_path / "pwned").exists()


def test_an_eval_without_quotes_still_works(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text(shell_lines({"A": "1", "B": "2"}, ["comment"]))
    script = 'eval $(cat lines); printf "%s%s" "$A" "$B"'
    assert subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, check=True).stdout == b"12"


def test_a_name_that_is_a_command_is_refused() -> None:
    with pytest.raises(SetupError):
        shell_lines({"A=1; touch x; B": "1"})


def credentials(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "credentials.env"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_credentials_are_read_as_a_shell_would(tmp_path: Path) -> None:
    text = "# token\nexport A='x y'\nB=z\n\nexport C=\"it's\"  # note\n"
    assert read_exports(credentials(tmp_path, text)) == {"A": "x y", "B": "z", "C": "it's"}


def test_no_credentials_yet(tmp_path: Path) -> None:
    assert read_exports(tmp_path / "none") == {}


@pytest.mark.parametrize("line", ["rm -rf /", "export A=1 B=2", "export A", "A='unbalanced", "1A=x", "A=$(x) y"])
def test_anything_but_an_export_is_refused_without_being_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(SetupError, match="line 2: expected `export NAME=value`") as refusal:
        read_exports(credentials(tmp_path, f"export OK=1\n{line}\n"))
    assert line not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_credentials_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SetupError, match="chmod 600"):
        read_exports(credentials(tmp_path, "export A=1\n", mode))
