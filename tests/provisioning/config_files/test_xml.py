"""XML by path and attribute."""

import time

import pytest

from tests.provisioning.config_files.cases import edited, found, refused

CONFIG = """<?xml version="1.0"?>
<!-- <add key='Url' value='old'/> -->
<configuration xmlns:x='urn:x'>
  <appSettings>
    <add key="Url" value = 'http://a/?b=1&amp;c=2' />
    <add value="[1/2]" key="It's [a] / path"/>
    <x:add key="Url">text</x:add>
  </appSettings>
  <a><b>1</b><c/><b n="2">two</b><b n="2"><![CDATA[<three>]]></b></a>
</configuration>
"""


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        ("/configuration/appSettings/add[@key='Url']/@value", "a&b", "http://a/?b=1&amp;c=2", "a&amp;b"),
        (
            "/configuration/appSettings/add[1]/@value",
            "\"'<\n\t\r>",
            "http://a/?b=1&amp;c=2",
            '"&apos;&lt;&#10;&#9;&#13;>',
        ),
        ('/configuration/appSettings/add[@key="It\'s [a] / path"]/@value', "a\"'", "[1/2]", "a&quot;'"),
        ("/configuration/appSettings/x:add", "<a> & ]]>\r", ">text<", ">&lt;a&gt; &amp; ]]&gt;&#13;<"),
        ("/configuration/appSettings/x:add[ 1 ]/@key", "x", '<x:add key="Url">', '<x:add key="x">'),
        ("/configuration/a/b[2]", "x", ">two<", ">x<"),
        ("/configuration/a/b[@n='2'][2]", "]]>\r&", "[<three>]", "[]]]]><![CDATA[>]]>&#13;<![CDATA[&]"),
        ("/configuration/a/b[3]", "", "[<three>]", "[]"),
        ("/configuration/a/b[2]/@n", "x", 'n="2"', 'n="x"'),
    ],
)
def test_comments_blanks_and_quotes_stay(at: str, value: str, old: str, new: str) -> None:
    assert edited("xml", CONFIG, at, value) == CONFIG.replace(old, new, 1)


def test_what_is_written_otherwise_but_says_the_same_is_left_alone() -> None:
    text = "<a b='&#x41;&lt;\r\n'>x<![CDATA[<]]>&#65;</a>"
    assert found("xml", text, "/a/@b") == ("A< ", "&#x41;&lt;\r\n")
    assert found("xml", text, "/a") == ("x<A", "x<![CDATA[<]]>&#65;")
    assert edited("xml", text, "/a", "x<A") == text


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ("<a><b/></a>", "/a", "has elements in it"),
        ("<a><b/></a>", "/a/b", "is an empty element"),
        ("<a><b x='1'/></a>", "/a/b", "is an empty element"),
        ("<a><b></b><b></b></a>", "/a/b", "stands 2 times, expected once"),
        ("<a><b></b></a>", "/a/c", "not there"),
        ("<a><b></b></a>", "/b", "not there"),
        ("<a><b></b></a>", "/a/b/@x", "not there"),
        ("<a>x<!-- c --></a>", "/a", "has a comment"),
        ("<a>x<?pi c?></a>", "/a", "or an instruction"),
        ("<a>", "/a", "no valid XML: no element found: line 1, column 3"),
        ("<a x='1' x='2'>b</a>", "/a", "no valid XML: duplicate attribute"),
        ("", "/a", "no valid XML"),
        ("<a>b</a>", "a", "expected a path"),
        ("<a>b</a>", "//a", "expected a path"),
        ("<a>b</a>", "/a[b='c']", "expected a path"),
        ("<a>b</a>", "/a/@b/c", "expected a path"),
        ("<a>b</a>", "/a[0]", "expected a path"),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "/a", "uses an entity of the document's own"),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><a b='&e;'/>", "/a/@b", "uses an entity of the document's own"),
        ("<!DOCTYPE a [<!ATTLIST a b CDATA 'x'>]><a/>", "/a/@b", "not there"),
        ("<!DOCTYPE a [<!ENTITY e '<b>x</b>'>]><a>&e;</a>", "/a/b", "not there"),
        (
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd' [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
            "/a",
            "entity",
        ),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, why: str) -> None:
    message = refused("xml", text, at)
    assert message.startswith(f"{at}: ")
    assert why in message


def test_an_attribute_that_is_selected_by_itself_is_refused() -> None:
    """The next run would not find it again."""
    assert "would break the file" in refused("xml", "<a b='1'/>", "/a[@b='1']/@b")


@pytest.mark.parametrize("value", ["\x01", "\x1f", "\ufffe"])
def test_characters_that_xml_does_not_have_are_refused(value: str) -> None:
    assert "has a control character" in refused("xml", "<a>b</a>", "/a", value)


def test_a_document_type_and_its_entities_elsewhere_stay() -> None:
    text = "<!DOCTYPE a [\n<!ENTITY e 'x'> <!-- <b>1</b> -->\n]>\n<a c='&e;'>&e;<b>1</b></a>"
    assert edited("xml", text, "/a/b", "&e;") == text.replace("<b>1</b></a>", "<b>&amp;e;</b></a>")


def test_entities_that_multiply_are_not_opened() -> None:
    levels = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
    began = time.monotonic()
    assert edited("xml", f"<!DOCTYPE a [<!ENTITY e0 'lol'>{levels}]><a>&e11;<b>1</b></a>", "/a/b", "2").endswith(
        "<b>2</b></a>"
    )
    assert "no valid XML" in refused(
        "xml", f"<!DOCTYPE a [<!ENTITY e0 'lol'>{levels}]><a c='&e11;'><b>1</b></a>", "/a/b"
    )
    assert time.monotonic() - began < 30
