"""Values of the environment reach the containers byte for byte, whatever is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.portainer.env_values import NAME, decoded, encoded, from_pairs, to_env_file, to_pairs

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TRICKY = st.text(alphabet="\\\"'$#{}nr=` \t\n\rab", max_size=12)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
_TOLD = {"n": "\n", "r": "\r", '"': '"', "$": "$", "\\": "\\"}


@settings(max_examples=60)
@given(ANY_TEXT | TRICKY)
def test_what_was_encoded_is_decoded_to_the_same(value: str) -> None:
    assert decoded(encoded(value)) == value


@settings(max_examples=60)
@given(st.dictionaries(NAMES, ANY_TEXT | TRICKY, max_size=5))
def test_compose_reads_the_file_as_the_values_were(values: dict[str, str]) -> None:
    assert dotenv(to_env_file(values)) == values


@settings(max_examples=60)
@given(ANY_TEXT | TRICKY)
def test_an_encoded_value_is_one_line(value: str) -> None:
    assert not set(encoded(value)) & {"\n", "\r"}


def test_plain_values_stay_as_they_are_for_people_to_read() -> None:
    for value in ("8080", "info", "https://x.lab:1/a,b", "a=b", "1%", "me@lab", "sha256-ab+/="):
        assert encoded(value) == value


def test_everything_with_a_meaning_in_dotenv_is_quoted() -> None:
    assert encoded("") == '""'
    assert encoded("a b") == '"a b"'
    assert encoded("pa$$w0rd") == '"pa\\$\\$w0rd"'
    assert encoded("${HOME}") == '"\\${HOME}"'
    assert encoded('say "x"') == '"say \\"x\\""'
    assert encoded("# no comment") == '"# no comment"'
    assert encoded("ends\\") == '"ends\\\\"'
    assert encoded("\\n\n") == '"\\\\n\\n"'


def test_text_by_other_hands_stays_as_it_is() -> None:
    for text in ("plain", '"', "'single'", 'half"', "", "a\\nb"):
        assert decoded(text) == text


def test_an_escape_that_nobody_here_writes_stays() -> None:
    assert decoded('"a\\tb"') == "a\\tb"


def test_names_are_those_of_shells() -> None:
    assert all(NAME.fullmatch(name) for name in ("A", "_x", "LOG_LEVEL", "a1"))
    assert not any(NAME.fullmatch(name) for name in ("", "1A", "A-B", "A B", "A=B", "A\n", "Ä", "A.B"))


def test_pairs_are_sorted_by_name() -> None:
    pairs = to_pairs({"B": "2", "A": "x y", "C": ""})
    assert pairs == [{"name": "A", "value": '"x y"'}, {"name": "B", "value": "2"}, {"name": "C", "value": '""'}]


def test_null_for_no_pairs_and_a_pair_without_a_value_are_read() -> None:
    assert from_pairs(None) == {}
    assert from_pairs([]) == {}
    assert from_pairs([{"name": "A"}, {"name": "B", "value": '"x y"'}]) == {"A": "", "B": "x y"}


@settings(max_examples=60)
@given(st.dictionaries(NAMES, ANY_TEXT | TRICKY, max_size=5))
def test_pairs_are_read_back(values: dict[str, str]) -> None:
    assert from_pairs(to_pairs(values)) == values


def dotenv(text: str) -> dict[str, str]:
    """Compose's rules, written anew: after `NAME=` a double-quoted value with escapes, or a bare one."""
    found, place = {}, 0
    while place < len(text):
        name, _, _ = text[place:].partition("=")
        place += len(name) + 1
        found[name], place = _quoted(text, place + 1) if text[place : place + 1] == '"' else _bare(text, place)
    return found


def _quoted(text: str, place: int) -> tuple[str, int]:
    value = ""
    while text[place] != '"':
        if text[place] == "\\":
            value += _TOLD[text[place + 1]]
            place += 2
        else:
            assert text[place] not in "$\n", "compose would put something else in its place"
            value += text[place]
            place += 1
    assert text[place + 1] == "\n"
    return value, place + 2


def _bare(text: str, place: int) -> tuple[str, int]:
    end = text.index("\n", place)
    value = text[place:end]
    assert not set(value) & set("\\\"'$#` \t"), "compose would read a meaning in it"
    return value, end + 1
