"""INI by section and key."""

import pytest

from tests.provisioning.config_files.cases import edited, found, refused

SERVICES = """top = 1
; Url = comment
[Gateway]
Url=http://a/ ; not a comment
# Url = x
Quoted = "b"\t
Empty =
[ Other ]
Url = c
[gateway]
Later = 'd'
"""


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        ("/top", "2", "top = 1", "top = 2"),
        ("Gateway/Url", "x;y", "=http://a/ ; not a comment", "=x;y"),
        ("GATEWAY/url", "x", "=http://a/ ; not a comment", "=x"),
        ("Gateway/Quoted", 'say "x"', '"b"', '"say "x""'),
        ("Gateway/Quoted", "", '"b"', '""'),
        ("Gateway/Empty", "x", "Empty =", "Empty =x"),
        ("Gateway/Later", " x ", "'d'", "' x '"),
        ("Other/Url", " x ", "c\n[g", '" x "\n[g'),
        ("Other/Url", "'x'", "c\n[g", "\"'x'\"\n[g"),
        ("Other/Url", "", "c\n[g", "\n[g"),
    ],
)
def test_spacing_quotes_and_comments_stay(at: str, value: str, old: str, new: str) -> None:
    assert edited("ini", SERVICES, at, value) == SERVICES.replace(old, new, 1)


def test_nothing_before_blanks_is_written_as_quotes() -> None:
    assert edited("ini", "[a]\nb = c  \n", "a/b", "") == '[a]\nb = ""  \n'


def test_a_section_may_have_a_slash_and_a_lone_cr_ends_a_line() -> None:
    assert edited("ini", "[http://x/]\rb=1\rc=2\r", "http://x//c", "3") == "[http://x/]\rb=1\rc=3\r"
    assert found("ini", "[a]\n\u2028b=1\nb=\x0c2\x85", "a/b") == ("\x0c2\x85", "\x0c2\x85")


@pytest.mark.parametrize(
    ("text", "at", "value", "why"),
    [
        ("[a]\nb=1\nB=2\n", "a/b", "x", "stands 2 times, expected once (Windows takes the first, others the last)"),
        ("[a]\nb=1\n[c]\n[A]\nb=2\n", "a/b", "x", "stands 2 times"),
        ("[a]\nb\n", "a/b", "x", "not there"),
        ("[a]\n;b=1\n#b=1\n", "a/b", "x", "not there"),
        ("[a]\n[c]\nb=1\n", "a/b", "x", "not there"),
        ("[a]\nbc=1\n", "a/b", "x", "not there"),
        ("[a\nb=1\n", "a/b", "x", "line 1 begins a section without ]"),
        ("[a]\nb=1\n", "a/b", "x\n[c]", "has a line end"),
        ("[a]\nb=1\n", "a/b", "x\r", "has a line end"),
        ("[a]\nb=1\n", "b", "x", "expected section/key"),
        ("[a]\nb=1\n", "a/", "x", "expected section/key"),
        ("[a]\nb=1\n", "a/;b", "x", "is no section and key"),
        ("[a]\nb=1\n", "a/b=1", "x", "is no section and key"),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, value: str, why: str) -> None:
    assert why in refused("ini", text, at, value)
