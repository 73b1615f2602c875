"""Errors in a comment: what is known to be secret, and what looks like it, is not in them."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from delivery.review.redact import LINES, LONGEST, Redactor, first_lines

SECRET = 'Canary "pass|wörd" 🐘'


@pytest.mark.parametrize(
    "form",
    [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode(), SECRET.replace('"', '\\"')],
)
def test_a_known_secret_goes_in_every_form(form: str) -> None:
    assert Redactor([SECRET])(f"before {form} after") == "before *** after"


def test_a_secret_of_several_lines_goes_line_by_line() -> None:
    redactor = Redactor(["-first line-\n-second line-"])
    assert list(first_lines(["x -second line- y\n-first line-"], redactor)) == ["x *** y", "***"]


def test_variables_that_are_named_like_secrets_are_known(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("of the state\n")
    environ = {
        "HYPERCOMPOSE_GIT_PASSWORD": "hunter two",
        "PROXMOX_VE_API_TOKEN": "user@pve!id=uuid-uuid",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "OTHER_TOKEN_FILE": "/a/file",
        "PATH": "/usr/bin",
        "TOKEN_COUNT": "12345",
    }
    told = Redactor.of_environment(environ)("hunter two, user@pve!id=uuid-uuid, of the state, /a/file, /usr/bin, 12345")
    assert told == "***, ***, ***, /a/file, /usr/bin, 12345"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            'Pulumi.a.yaml: vms[0].x: "nope", expected one of a, b; y',
            "Pulumi.a.yaml: vms[0].x: ***, expected one of a, b; y",
        ),
        ("a: b: hunter2, expected c", "a: b: ***, expected c"),
        ("git clone https://user:hunter2@git.example.com/x", "git clone https://***@git.example.com/x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("password=hunter2 and more", "password=*** and more"),
        ("DB_PASSWORD: hunter2", "DB_PASSWORD: ***"),
        ('{"api_key": "x"}', '{"***": "***"}'),
        ("token ghp_0123456789abcdefABCDEF", "token ***"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY----- tail", "*** tail"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\ncut", "***"),
        (
            'resource "urn:pulumi:a::p::t:m:T::vm-1" is protected',
            'resource "urn:pulumi:a::p::t:m:T::vm-1" is protected',
        ),
        ("vm-acceptance-app-1-portainer-settings is protected", "vm-acceptance-app-1-portainer-settings is protected"),
    ],
)
def test_what_looks_like_a_secret_or_a_value_goes(error: str, shown: str) -> None:
    assert Redactor()(error) == shown


def test_only_the_first_lines_are_shown_and_none_of_them_is_long() -> None:
    lines = list(first_lines(["\n\n".join(["word " * 200] * 50)], Redactor()))
    assert len(lines) == LINES
    assert max(map(len, lines)) == LONGEST + 1


def test_a_secret_at_the_cut_is_gone_before_the_cut() -> None:
    text = "x " * (LONGEST // 2 - 2) + "secret words of mine"
    assert "secret" not in next(first_lines([text], Redactor(["secret words of mine"])))
