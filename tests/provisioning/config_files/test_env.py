"""Environment files by variable."""

from io import StringIO

import dotenv
import pytest

from tests.provisioning.config_files.cases import edited, found, refused

TEXT = (
    "# URL=x\nexport URL=http://a/ # where\nNAME = 'a b' # c\n"
    "PATH_=\"C:\\\\x\\n\"\nLINES='one\nURL=two'\nEMPTY=\nYAML: x\n"
)


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        ("URL", "http://b:1/?c=d", "http://a/ ", "'http://b:1/?c=d' "),
        ("URL", "http://b:1/", "http://a/ ", "http://b:1/ "),
        ("URL", "$(reboot)", "http://a/ ", "'$(reboot)' "),
        ("URL", "a #b", "http://a/ ", "'a #b' "),
        ("URL", "a\nb", "http://a/ ", '"a\\nb" '),
        ("URL", "it's $5", "http://a/ ", '"it\'s \\$5" '),
        ("URL", "", "http://a/ ", "'' "),
        ("URL", "C:\\", "http://a/ ", '"C:\\\\" '),
        ("NAME", "c", "'a b'", "'c'"),
        ("NAME", "it's", "'a b'", '"it\'s"'),
        ("PATH_", "D:\\", '"C:\\\\x\\n"', '"D:\\\\"'),
        ("PATH_", "${HOME}", '"C:\\\\x\\n"', "'${HOME}'"),
        ("LINES", "x", "'one\nURL=two'", "'x'"),
        ("EMPTY", "x", "EMPTY=", "EMPTY=x"),
        ("YAML", "y", "YAML: x", "YAML: y"),
    ],
)
def test_quotes_comments_and_export_stay(at: str, value: str, old: str, new: str) -> None:
    after = edited("env", TEXT, at, value)
    assert after == TEXT.replace(old, new, 1)
    read = dotenv.dotenv_values(stream=StringIO(after.replace("YAML: ", "YAML=")), interpolate=False)
    assert (read[at] or "").replace("\\$", "$") == value


def test_values_are_read_without_quotes_escapes_and_comments() -> None:
    assert found("env", TEXT, "URL") == ("http://a/", "http://a/")
    assert found("env", TEXT, "NAME") == ("a b", "'a b'")
    assert found("env", TEXT, "PATH_") == ("C:\\x\n", '"C:\\\\x\\n"')
    assert found("env", TEXT, "LINES")[0] == "one\nURL=two"
    assert found("env", "A=a#b", "A")[0] == "a#b"


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ("A=1\nexport A=2\n", "A", "stands 2 times, expected once"),
        ("a=1\n", "A", "not there"),
        ("A\n", "A", "not there"),
        ("A='b\n", "A", "line 1 is read differently by different readers: quote it"),
        ("A='b'c\n", "A", "quote it"),
        ("A= # b\n", "A", "quote it"),
        ("A=1\n", "A B", "is no name of a variable"),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, why: str) -> None:
    assert why in refused("env", text, at)
