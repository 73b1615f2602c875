"""Generated config files: each in its format, encoding and line ends, with a reader that is not ours."""

import configparser
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from itertools import count as counting
from typing import Literal
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import dotenv
import yaml
from hypothesis import strategies as st

from tests.provisioning.config_files import java

CODECS = [
    ("utf-8", b"", "auto"),
    ("utf-8", b"\xef\xbb\xbf", "auto"),
    ("utf-16-le", b"\xff\xfe", "auto"),
    ("utf-16-be", b"\xfe\xff", "auto"),
    ("utf-16-le", b"", "utf-16-le"),
    ("cp1252", b"", "cp1252"),
    ("iso8859-1", b"", "latin-1"),
]
"""Codec, mark, and what `encoding` has to say."""
HOSTILE = (
    *("$(reboot)", "`id`", "'; DROP", 'a"b', "a'b", "'a'", '"a"', "${HOME}", "$A", "%PATH%", "{{ x }}", "x" * 3000),
    *("]]>", '"/><x a="', "</v>", "&amp;", "<!-- ", "-->", "//c", "/*c*/", "\\u0041", "C:\\temp\\new", "a\\"),
    *(
        "é€ß",
        "שלום",
        "😀",
        "=>\u00a0",
        "",
        " a",
        "a ",
        "a=b",
        "a:b",
        "=x",
        ";a",
        "#a",
        "a;b",
        "Server=a,1433;Database=b",
    ),
    *("a: b", "a #b", "- a", "{a}", "[a]", "a,b]", "*a", "&a", "!a", "%a", "@a", "|", ">", "---", "...", "<<", "="),
    *("true", "No", "null", "~", "1e3", "0x1F", "12:30", "2024-01-01"),
)
NO_TEXT: list[Literal["Cs"]] = ["Cs"]
UNUSUAL = (
    "a\tb",
    "\t",
    "\u2028",
    "\ufeffa",
    "\x7f",
    "\x85",
    "a\nb",
    "\r\n",
    "\n",
    "a\r",
    "\x0c",
    "\x01",
    "\ufffe",
    "'\\\n$",
)
NO_LINE: list[Literal["Cs", "Cc", "Zl", "Zp"]] = ["Cs", "Cc", "Zl", "Zp"]
words = st.text(st.characters(exclude_categories=NO_LINE, exclude_characters="\ufeff"), max_size=8)
plain = (st.sampled_from(HOSTILE) | words).filter(lambda value: not re.search("[\ufdd0-\ufdef\ufffe\uffff]", value))
values = (
    plain | st.sampled_from(UNUSUAL) | st.text(st.characters(exclude_categories=NO_TEXT, min_codepoint=1), max_size=8)
)
"""What an operator may want to write."""
LINE_ENDS = [["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\n", "\r\n", "\r"]]


def holds(codec: str, text: str) -> bool:
    return text.encode(codec, "ignore").decode(codec) == text


@dataclass(frozen=True)
class Kind:
    """A format, as it is generated and read here."""

    entry: Callable[[st.DrawFn, str, st.SearchStrategy[str]], str]
    """Draws the line or lines of a name and a value."""
    at: str
    """The selector of the name {}."""
    read: Callable[[str], dict[str, object]]
    frame: Callable[[list[str]], str] = "\n".join


@dataclass(frozen=True)
class Document:
    """A file, and where its values are."""

    kind: Kind
    content: bytes
    mark: bytes
    codec: str
    encoding: str
    names: tuple[str, ...]

    def read(self, content: bytes) -> dict[str, object]:
        """The values by name, as another reader has them."""
        return self.kind.read(content[len(self.mark) :].decode(self.codec))


@st.composite
def documents(draw: st.DrawFn, format: str) -> Document:
    codec, mark, encoding = draw(st.sampled_from(CODECS))
    names = tuple(f"k{index}" for index in range(draw(st.integers(1, 3))))
    standing = plain.filter(lambda value: holds(codec, value))
    text = KINDS[format].frame([KINDS[format].entry(draw, name, standing) for name in names])
    ends, turn = draw(st.sampled_from(LINE_ENDS)), counting()
    text = re.sub("\n", lambda _: ends[next(turn) % len(ends)], text + draw(st.sampled_from(["", "\n", "\n\n"])))
    return Document(KINDS[format], mark + text.encode(codec), mark, codec, encoding, names)


def _one(draw: st.DrawFn, *choices: str) -> str:
    return draw(st.sampled_from(choices))


def _json_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    texts = st.builds(json.dumps, standing) | standing.map(lambda value: json.dumps(value, ensure_ascii=False))
    value = draw(texts | st.sampled_from(["0", "-2.5e+3", "true", "false"]))
    before, after = _one(draw, "", "/*!*/", "//!\n", " \t", "\n"), _one(draw, "", " /*!*/", " //!\n")
    return before + f'"{name}"' + _one(draw, ":", " : ", ":/*!*/") + value + after


def _json_read(text: str) -> dict[str, object]:
    bare = text.replace(",/*!!*/", "").replace("/*!*/", "").replace("//!", "")
    found: dict[str, object] = json.loads(bare)["in"][0]
    return found


def _xml_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    value, before = draw(standing), _one(draw, "", "\n", "<!-- <add key='k0' value='x'/> -->", "<?pi k0?>", "\n\t")
    cdata = "<![CDATA[" + value.replace("]]>", "") + "]]>"
    text = _one(draw, escape(value), cdata, escape(value, {"'": "&#39;", '"': "&#x22;"}))
    return f"{before}<add  key='{name}'\n\tvalue = {quoteattr(value)} >{text}</add >"


def _xml_read(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    root = ElementTree.fromstring(text.encode())  # noqa: S314  a text of this file's own making
    for add in root.iter("add"):
        found[add.attrib["key"]] = add.attrib["value"]
        found[add.attrib["key"] + " text"] = add.text or ""
    return found


def _ini_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    value, before = draw(standing).strip(), _one(draw, "", "; k0=1\n", "# c\n", "\n")
    return before + name + _one(draw, "=", " = ", "=\t") + _one(draw, value, f'"{value}"') + _one(draw, "", " ")


def _ini_read(text: str) -> dict[str, object]:
    reader = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=(";", "#"), empty_lines_in_values=False)
    reader.read_file(StringIO(re.sub(r"\r\n?", "\n", text), newline="\n"))
    return {name: re.sub(r"""\A(["'])(.*)\1\Z""", r"\2", value) for name, value in reader["S"].items()}


def _yaml_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    style = _one(draw, "'", '"')
    quoted = yaml.safe_dump(draw(standing), allow_unicode=True, width=10**6, default_style=style).strip("\n")
    value = _one(draw, quoted, "plain text", "http://a:1/b#c", "8080", "1.5", "true", "C:\\temp", "two\n    lines")
    shapes = (
        "{}: {}",
        "{}:   {}  # comment",
        "# before\n  {}: {}",
        "{}:\n    {}",
        "? {}\n  : {}",
        "{0}: &{0} {1}",
        "{}: !!str {}",
    )
    return "  " + _one(draw, *shapes).format(name, value)


def _yaml_read(text: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(text)["top"]
    return found


def _properties_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    value = re.sub(r"^ |\\", r"\\\g<0>", draw(standing))
    value = _one(draw, value, f"\\\n   {value}", f"one\\\n \ttwo{value}", "\\u00e9\\:" + value)
    before = _one(draw, "", "# k0=1\\\n", "! k0\n", "\n", "  ")
    return before + name + _one(draw, "=", " = ", ":", " : ", "=\t") + value


def _env_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    value = re.sub(r"['\"\\]", "", draw(standing))
    written = _one(draw, f"'{value}'", f'"{value}"', "'two\nlines'", re.sub(r"[#\s]", "", value))
    after = _one(draw, "", " # comment", " ") if written else ""
    return _one(draw, "", "# k0=1\n", "\n", "export ") + name + _one(draw, "=", " = ") + written + after


def _env_read(text: str) -> dict[str, object]:
    return dict(dotenv.dotenv_values(stream=StringIO(text, newline=""), interpolate=False))


def _text_entry(draw: st.DrawFn, name: str, standing: st.SearchStrategy[str]) -> str:
    return _one(draw, "", "// k0", "\n") + f"\n{name} -> " + draw(standing) + _one(draw, "", ";")


def _text_read(text: str) -> dict[str, object]:
    lines = re.split(r"\r\n|\r|\n", text)
    return {name: value for name, arrow, value in (line.partition(" -> ") for line in lines) if arrow}


KINDS = {
    "json": Kind(_json_entry, "/in/0/{}", _json_read, lambda entries: '{"in": [{' + ",".join(entries) + ",/*!!*/}]}"),
    "xml attribute": Kind(
        _xml_entry,
        "/c/s/add[@key='{}']/@value",
        _xml_read,
        lambda entries: "<c><s x='1'>" + "\n".join(entries) + "</s>\n</c>",
    ),
    "xml text": Kind(
        _xml_entry, '/c/s/add[@key="{}"]', _xml_read, lambda entries: "<c><s/><s>" + "".join(entries) + "</s></c>"
    ),
    "ini": Kind(_ini_entry, "s/{}", _ini_read, lambda entries: "\n".join(["[First]", "k0=1", "[S]", *entries])),
    "yaml": Kind(_yaml_entry, "/top/{}", _yaml_read, lambda entries: "\n".join(["first: {k0: 1}", "top:", *entries])),
    "properties": Kind(_properties_entry, "{}", lambda text: dict(java.load(text))),
    "env": Kind(_env_entry, "{}", _env_read),
    "text": Kind(_text_entry, "^{} -> (.*?);?$", _text_read),
}
"""Format, or format and what is selected in it."""
