"""Names of shares and files: Windows' own, and below the share's root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.companion.places import is_administrative, relative, same_file, share_problem


@pytest.mark.parametrize("share", ["//10.0.0.21/M", "//app.casino.lab/M$", "//app/My Share", "//app/Größe"])
def test_a_share_is_named_as_hosts_write_it(share: str) -> None:
    assert share_problem(share) is None


@pytest.mark.parametrize(
    "share",
    ["", "M", r"\\app\M", "//app", "//app/", "//app/M/sub", "//app/M\nx", "//app/a,b", "//app/%n", "//a b/M",
     "//app/M ", "//app/M.", "//-app/M", "//app/$(reboot)/M", '//app/M"', "//app/M#", "///M", "//app/../M"],
)  # fmt: skip
def test_what_is_no_share_is_refused_with_an_example(share: str) -> None:
    assert "expected //<address or name>/<share>, such as //10.0.0.21/M" in str(share_problem(share))


def test_shares_of_whole_disks_are_known() -> None:
    assert [is_administrative(f"//app/{name}") for name in ("M$", "m$", "ADMIN$", "M", "Config$")] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Billing/appsettings.json", "Billing/appsettings.json"),
        (r"Billing\sub\web.config", "Billing/sub/web.config"),
        ("Größe und Maß/ünï.ini", "Größe und Maß/ünï.ini"),
        ("a'b&c$(reboot)/x.json", "a'b&c$(reboot)/x.json"),
        (".env", ".env"),
        ("console.log", "console.log"),
    ],
)
def test_a_path_below_the_root_is_taken(path: str, expected: str) -> None:
    assert relative(path) == expected


HOSTILE = [
    "", "/etc/passwd", r"\Windows\x", r"\\server\share\x", "//server/share/x", "C:/x", r"M:\Billing\x", "a:b",
    "x.json:stream", "x.json::$DATA", "../x", "a/../../x", r"a\..\..\x", "a/./b", "a//b", "a/", ".", "..", "CON",
    "con.txt", "a/NUL", "a/nul.json", "COM1", "lpt9.log", "COM\u00b2", "CONIN$", "a ", "a.", " a", "a/b. /c", "a<b",
    "a>b", 'a"b', "a|b", "a?b", "a*b", "a\nb", "a\0b", "a\x7fb", "PROGRA~1/x", "HYPERC~1/links/x",
    "hypercompose/links/x.json", "HyperCompose/x", "x" * 300, "y/" + "z" * 256,
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_leads_elsewhere_or_that_windows_reads_otherwise_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"expected a path below the share's root, such as Billing/appsettings\.json"):
        relative(path)


@given(st.text(max_size=60))
def test_whatever_is_taken_stays_below_the_root(path: str) -> None:
    try:
        parts = relative(path).split("/")
    except ValueError:
        return
    assert all(part not in ("", ".", "..") for part in parts)
    assert not any(mark in part for part in parts for mark in '\\:<>"|?*\0\n')
    assert same_file(parts[0]) != "hypercompose"
