"""`python -m delivery.review`: files in, a comment out, an exit code that tells a pipeline."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path

import pytest

from delivery.review.__main__ import main
from delivery.review.comment import MARKER
from setup.places import CHECKOUT
from tests.delivery.review import recorded


def kept(tmp_path: Path, name: str, stack: str = "acceptance") -> str:
    file = tmp_path / f"{name}.digest"
    file.write_text(recorded.digested(name, stack).to_json())
    return str(file)


def test_a_digest_is_made_of_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(recorded.text("changed")))
    assert main(["digest", "--stack=acceptance", "--site=lab"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(recorded.digested("changed").to_json())


def test_a_comment_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["comment", "--commit=abc", "--left-out=b c", kept(tmp_path, "changed")]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{MARKER}\n\n## What this change does at `abc`")
    assert "not previewed (2): `b`, `c`" in out


def test_a_failed_preview_fails_after_the_comment_is_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["comment", kept(tmp_path, "failed"), kept(tmp_path, "changed", "b")]) == 1
    assert "### `b`" in capsys.readouterr().out


def test_drift_reports_are_taken_where_there_are_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "acceptance.json").write_text('{"verdict": "clean"}')
    assert main(["comment", f"--drift={tmp_path}", kept(tmp_path, "changed"), kept(tmp_path, "gone", "b")]) == 0
    assert capsys.readouterr().out.count("Drift: none.") == 1


def test_posting_without_a_pull_request_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WORKSPACE", "REPO_SLUG", "PR_ID", "TOKEN"):
        monkeypatch.delenv(f"BITBUCKET_{name}", raising=False)
    assert main(["comment", "--post", kept(tmp_path, "changed")]) == 1
    assert "BITBUCKET_PR_ID is not set" in capsys.readouterr().err


def test_what_is_no_digest_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("nonsense")
    assert main(["comment", str(tmp_path / "x")]) == 1
    assert "not one of `python -m delivery.review digest`" in capsys.readouterr().err


def test_rendering_never_imports_posting() -> None:
    folder = CHECKOUT / "delivery" / "review"
    for file in folder.glob("*.py"):
        if file.stem in ("bitbucket", "publishing", "__main__"):
            continue
        found = [
            node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom | ast.Import)
        ]
        names = {getattr(node, "module", "") or node.names[0].name for node in found}
        assert not names & {"requests", "delivery.review.bitbucket", "delivery.review.publishing", "urllib3"}, file.name
