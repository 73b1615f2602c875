"""Files as .NET services on a Windows companion have them: byte for byte, with what may be selected in them."""

import pytest

from provisioning.config_files import Selector, find, put_back, replace

APPSETTINGS = (
    b'\xef\xbb\xbf{\r\n  // see "ConnectionStrings": {"Default": "..."} in the wiki\r\n  "Logging": { "LogLevel": { "Default": "Information", }, },\r\n'
    b'  "ConnectionStrings": {\r\n    /* production */\r\n    "Default": "Server=10.0.0.5,1433;Database=Caf\xc3\xa9;Password=\\"a;b\\"",\r\n  },\r\n'
    b'  "Gateway": { "Url": "http://app:8080/", "Port": 8080, "Hosts": ["app", "db"], },\r\n}'
)
WEB_CONFIG = (
    b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\r\n<!-- <add key="GatewayUrl" value="http://old/" /> -->\r\n<configuration>\r\n'
    b'  <configSections>\r\n    <section name="x" type="y"/>\r\n  </configSections>\r\n'
    b'  <connectionStrings>\r\n    <add name="Shop" connectionString="Server=app;Password=&quot;a&amp;b&quot;"\r\n         providerName=\'System.Data.SqlClient\' />\r\n'
    b'  </connectionStrings>\r\n  <appSettings>\r\n\t<add key="GatewayUrl"   value="http://app:8080/"/>\r\n  </appSettings>\r\n'
    b'  <applicationSettings><My.Settings>\r\n    <setting name="Url" serializeAs="String">\r\n      <value>http://app/</value>\r\n    </setting>\r\n'
    b"  </My.Settings></applicationSettings>\r\n</configuration>\r\n"
)
SERVICES_INI = b'; Dienste f\xfcr Caf\xe9\r\n[Gateway]\r\nName = Caf\xe9\r\nUrl = http://app:8080/\r\n\r\n[Drucker]\nUrl="http://app:9100/"\n'
APP_CONFIG = '\ufeff<?xml version="1.0" encoding="utf-16"?>\r\n<configuration>\r\n  <appSettings>\r\n    <add key="Straße" value="http://app/" />\r\n  </appSettings>\r\n</configuration>'.encode(
    "utf-16-le"
)
NEW = 'http://10.77.0.11:8080/é?a=1&b="2"'


@pytest.mark.parametrize(
    ("content", "format", "at", "encoding", "old", "new"),
    [
        (
            APPSETTINGS,
            "json",
            "/Gateway/Url",
            "auto",
            b"http://app:8080/",
            'http://10.77.0.11:8080/é?a=1&b=\\"2\\"'.encode(),
        ),
        (APPSETTINGS, "json", "/gateway/hosts/1", "auto", b'"db"', ('"' + NEW.replace('"', '\\"') + '"').encode()),
        (
            APPSETTINGS,
            "json",
            "/ConnectionStrings/Default",
            "auto",
            b'Server=10.0.0.5,1433;Database=Caf\xc3\xa9;Password=\\"a;b\\"',
            NEW.replace('"', '\\"').encode(),
        ),
        (
            WEB_CONFIG,
            "xml",
            "/configuration/appSettings/add[@key='GatewayUrl']/@value",
            "auto",
            b"http://app:8080/",
            b"http://10.77.0.11:8080/\xc3\xa9?a=1&amp;b=&quot;2&quot;",
        ),
        (
            WEB_CONFIG,
            "xml",
            "/configuration/connectionStrings/add[@name='Shop']/@connectionString",
            "auto",
            b"Server=app;Password=&quot;a&amp;b&quot;",
            b"http://10.77.0.11:8080/\xc3\xa9?a=1&amp;b=&quot;2&quot;",
        ),
        (
            WEB_CONFIG,
            "xml",
            "/configuration/connectionStrings/add/@providerName",
            "auto",
            b"System.Data.SqlClient",
            b'http://10.77.0.11:8080/\xc3\xa9?a=1&amp;b="2"',
        ),
        (
            WEB_CONFIG,
            "xml",
            "/configuration/applicationSettings/My.Settings/setting[@name='Url']/value",
            "auto",
            b"http://app/",
            b'http://10.77.0.11:8080/\xc3\xa9?a=1&amp;b="2"',
        ),
        (SERVICES_INI, "ini", "Gateway/Url", "cp1252", b"http://app:8080/", NEW.encode("cp1252")),
        (SERVICES_INI, "ini", "drucker/url", "cp1252", b"http://app:9100/", NEW.encode("cp1252")),
        (
            APP_CONFIG,
            "xml",
            "/configuration/appSettings/add[@key='Straße']/@value",
            "auto",
            "http://app/".encode("utf-16-le"),
            "http://10.77.0.11:8080/é?a=1&amp;b=&quot;2&quot;".encode("utf-16-le"),
        ),
    ],
)
def test_exactly_the_selected_bytes_change_and_go_back(
    content: bytes, format: str, at: str, encoding: str, old: bytes, new: bytes
) -> None:
    selector = Selector(format=format, at=at)
    raw = find(content, selector, encoding).raw
    place = content.rindex(old)
    edited = replace(content, selector, NEW, encoding)
    assert edited == content[:place] + new + content[place + len(old) :]
    assert find(edited, selector, encoding).value == NEW
    assert put_back(edited, selector, raw, encoding) == content
