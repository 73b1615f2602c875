"""Formats by file name, and selectors that no file is needed to refuse."""

import pytest

from provisioning.config_files import FORMATS, EditError, Selector, find, format_of, put_back, selector_problem


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("Gateway/appsettings.Production.json", "json"),
        ("Gateway\\Web.CONFIG", "xml"),
        ("a.xml", "xml"),
        ("a.csproj", "xml"),
        ("Directory.Build.props", "xml"),
        ("services.ini", "ini"),
        ("a.yaml", "yaml"),
        ("a.yml", "yaml"),
        ("log4j.properties", "properties"),
        (".env", "env"),
        ("a/.env.production", "env"),
        ("web.env", "env"),
        ("a.json/hosts", None),
        ("env", None),
        ("a.conf", None),
        ("appsettings.json.bak", None),
    ],
)
def test_a_file_name_tells_the_format(path: str, format: str | None) -> None:
    assert format_of(path) == format


GOOD = {
    "json": "/ConnectionStrings/Default",
    "xml": "/configuration/appSettings/add[@key='Url']/@value",
    "ini": "Gateway/Url",
    "yaml": "/services/0/url",
    "properties": "gateway.url",
    "env": "GATEWAY_URL",
    "text": "^url = (.*)$",
}


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_has_selectors_without_a_problem(format: str) -> None:
    assert selector_problem(format, GOOD[format]) is None
    assert "is empty" in str(selector_problem(format, ""))
    assert "holds a character that no file holds" in str(selector_problem(format, GOOD[format] + "\0"))


def test_a_format_that_nobody_knows_is_refused() -> None:
    assert selector_problem("toml", "a") == "format 'toml' is not one of json, xml, ini, yaml, properties, env, text"
    with pytest.raises(EditError, match=r"^a: format 'toml' is not one of"):
        find(b"", Selector(format="toml", at="a"))


def test_no_message_holds_a_value() -> None:
    for format, content in {"json": b'{"a": 5, "b": "hush"}', "yaml": b"a: 5\nb: hush\n"}.items():
        with pytest.raises(EditError) as error:
            put_back(content, Selector(format=format, at="/b"), '"hush", hush')
        assert "hush" not in str(error.value)
