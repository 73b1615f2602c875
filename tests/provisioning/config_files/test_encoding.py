"""Encodings, their marks and their declarations."""

import pytest

from provisioning.config_files import EditError, Selector, find, replace
from provisioning.config_files.encoding import decoded

XML = Selector(format="xml", at="/a/@b")
INI = Selector(format="ini", at="a/b")


@pytest.mark.parametrize(
    ("content", "encoding", "codec", "mark"),
    [
        (b"x", "auto", "utf-8", b""),
        (b"\xef\xbb\xbfx", "auto", "utf-8", b"\xef\xbb\xbf"),
        (b"\xef\xbb\xbfx", "utf-8", "utf-8", b"\xef\xbb\xbf"),
        (b"\xff\xfex\0", "auto", "utf-16-le", b"\xff\xfe"),
        (b"\xfe\xff\0x", "utf-16", "utf-16-be", b"\xfe\xff"),
        (b"x\0", "utf-16", "utf-16-le", b""),
        (b"\0x", "UTF-16BE", "utf-16-be", b""),
        (b"x", "windows-1252", "cp1252", b""),
        (b'<?xml version="1.0" encoding="Windows-1252"?>', "auto", "cp1252", b""),
        (b"<?xml version='1.0' encoding = 'ISO-8859-1' ?>", "auto", "iso8859-1", b""),
        (b'<?xml version="1.0" encoding="utf-16"?>', "utf-8", "utf-8", b""),
        (b"", "auto", "utf-8", b""),
    ],
)
def test_the_encoding_is_what_is_said_or_what_the_file_says(
    content: bytes, encoding: str, codec: str, mark: bytes
) -> None:
    file = decoded(content, encoding)
    assert (file.codec, file.mark) == (codec, mark)
    assert file.mark + file.text.encode(file.codec) == content


@pytest.mark.parametrize(
    ("content", "encoding", "why"),
    [
        (b"caf\xe9", "auto", "byte 3 of the file is no utf-8: set encoding to what it is, e.g. cp1252"),
        (b"\xef\xbb\xbfcaf\xe9", "auto", "byte 6 of the file"),
        (b"\xff\xfex\0y", "auto", "byte 4 of the file is no utf-16-le"),
        (b"\x81", "cp1252", "byte 0 of the file is no cp1252"),
        (b"\xed\xa0\x80", "auto", "byte 0"),
        (b"x\0", "auto", "has NUL characters: set encoding, e.g. utf-16-le"),
        (b"x", "utf-7", "utf-7 is not one of auto, utf-8, utf-16"),
        (b"x", "nonsense", "nonsense is not one of auto"),
        (b"\xff\xfe\0\0", "auto", "UTF-32, which is not supported"),
        (b"\xff\xfex\0", "cp1252", "begins with the mark of utf-16-le: leave encoding out"),
        (b'<?xml version="1.0" encoding="utf-16"?>', "auto", "says utf-16, but the file is none"),
        (b'<?xml version="1.0" encoding="shift_jis"?>', "auto", "says shift_jis, expected one of"),
    ],
)
def test_a_file_that_does_not_read_is_refused(content: bytes, encoding: str, why: str) -> None:
    with pytest.raises(EditError) as error:
        decoded(content, encoding)
    assert str(error.value).startswith("encoding: ")
    assert why in str(error.value)


def test_characters_that_the_encoding_lacks_are_escaped_where_the_format_can() -> None:
    edits = {
        ("json", "/a"): (b'{"a": "\xe9"}', b'{"a": "\xe9\\u2603\\ud83d\\ude00"}'),
        ("xml", "/a"): (b"<a>\xe9</a>", b"<a>\xe9&#x2603;&#x1F600;</a>"),
        ("xml", "/a/@b"): (b"<a b='\xe9'/>", b"<a b='\xe9&#x2603;&#x1F600;'/>"),
        ("yaml", "/a"): (b"a: '\xe9'", b'a: "\xe9\\u2603\\U0001F600"'),
        ("properties", "a"): (b"a=\xe9", b"a=\\u00e9\\u2603\\ud83d\\ude00"),
    }
    for (format, at), (before, after) in edits.items():
        assert replace(before, Selector(format=format, at=at), "é☃😀", "cp1252") == after


@pytest.mark.parametrize(
    ("format", "at", "content"), [("ini", "a/b", b"[a]\nb=c"), ("env", "b", b"b=c"), ("text", "^b=(.*)$", b"b=c")]
)
def test_they_are_refused_where_it_cannot(format: str, at: str, content: bytes) -> None:
    with pytest.raises(EditError, match="has a character that cp1252 lacks"):
        replace(content, Selector(format=format, at=at), "☃", "cp1252")


def test_cdata_is_left_for_what_the_encoding_lacks() -> None:
    content = b"<a><![CDATA[\xe9]]></a>"
    edited = replace(content, Selector(format="xml", at="/a"), "<☃>", "cp1252")
    assert edited == b"<a><![CDATA[<]]>&#x2603;<![CDATA[>]]></a>"
    assert find(edited, Selector(format="xml", at="/a"), "cp1252").value == "<☃>"


def test_an_edit_cannot_turn_the_encoding_of_the_file() -> None:
    selector = Selector(format="text", at="""^<\\?xml version="1.0" encoding="(.*)"\\?>$""")
    with pytest.raises(EditError, match="would change more of the file than itself"):
        replace(b'<?xml version="1.0" encoding="utf-8"?>\n<a/>', selector, "iso-8859-1")
