"""Files as .NET services on a Windows companion have them: exactly the selected bytes change, and go back."""

import codecs

import pytest

from provisioning.config_files import Selector, find, put_back, replace

APPSETTINGS = (
    codecs.BOM_UTF8
    + """{
  // see "ConnectionStrings": {"Default": "..."} in the wiki
  "Logging": { "LogLevel": { "Default": "Information", }, },
  "ConnectionStrings": {
    /* production */
    "Default": "Server=10.0.0.5,1433;Database=Café;Password=\\"a;b\\"",
  },
  "Gateway": { "Url": "http://app:8080/", "Port": 8080, "Hosts": ["app", "db"], },
}""".replace("\n", "\r\n").encode()
)
WEB_CONFIG = (
    codecs.BOM_UTF8
    + """<?xml version="1.0" encoding="utf-8"?>
<!-- <add key="GatewayUrl" value="http://old/" /> -->
<configuration>
  <configSections>
    <section name="x" type="y"/>
  </configSections>
  <connectionStrings>
    <add name="Shop" connectionString="Server=app;Password=&quot;a&amp;b&quot;"
         providerName='System.Data.SqlClient' />
  </connectionStrings>
  <appSettings>
\t<add key="GatewayUrl"   value="http://app:8080/"/>
  </appSettings>
  <applicationSettings><My.Settings>
    <setting name="Url" serializeAs="String">
      <value>http://app/</value>
    </setting>
  </My.Settings></applicationSettings>
</configuration>
""".replace("\n", "\r\n").encode()
)
APP_CONFIG = (
    codecs.BOM_UTF16_LE
    + """<?xml version="1.0" encoding="utf-16"?>
<configuration>
  <appSettings>
    <add key="Straße" value="http://app:8080/" />
  </appSettings>
</configuration>""".replace("\n", "\r\n").encode("utf-16-le")
)
SERVICES_INI = (
    b"; Dienste f\xfcr Caf\xe9\r\n[Gateway]\r\nName = Caf\xe9\r\nUrl = http://app:8080/\r\n\r\n"
    b'[Drucker]\nUrl="http://app:9100/"\n'
)
NEW = 'http://10.77.0.11/é?a=1&b="2"'
IN_JSON = 'http://10.77.0.11/é?a=1&b=\\"2\\"'
IN_QUOTES = "http://10.77.0.11/é?a=1&amp;b=&quot;2&quot;"
IN_XML = 'http://10.77.0.11/é?a=1&amp;b="2"'

CASES = [
    (APPSETTINGS, "utf-8", "json", "/Gateway/Url", '"http://app:8080/"', f'"{IN_JSON}"'),
    (APPSETTINGS, "utf-8", "json", "/gateway/hosts/1", '"db"', f'"{IN_JSON}"'),
    (
        *(APPSETTINGS, "utf-8", "json", "/ConnectionStrings/Default"),
        *('"Server=10.0.0.5,1433;Database=Café;Password=\\"a;b\\""', f'"{IN_JSON}"'),
    ),
    (
        *(WEB_CONFIG, "utf-8", "xml", "/configuration/appSettings/add[@key='GatewayUrl']/@value"),
        *("http://app:8080/", IN_QUOTES),
    ),
    (
        *(WEB_CONFIG, "utf-8", "xml", "/configuration/connectionStrings/add[@name='Shop']/@connectionString"),
        *("Server=app;Password=&quot;a&amp;b&quot;", IN_QUOTES),
    ),
    (
        *(WEB_CONFIG, "utf-8", "xml", "/configuration/connectionStrings/add/@providerName"),
        *("System.Data.SqlClient", IN_XML),
    ),
    (
        *(WEB_CONFIG, "utf-8", "xml", "/configuration/applicationSettings/My.Settings/setting[@name='Url']/value"),
        *("http://app/", IN_XML),
    ),
    (
        *(APP_CONFIG, "utf-16-le", "xml", "/configuration/appSettings/add[@key='Straße']/@value"),
        *("http://app:8080/", IN_QUOTES),
    ),
    (SERVICES_INI, "cp1252", "ini", "Gateway/Url", "http://app:8080/", NEW),
    (SERVICES_INI, "cp1252", "ini", "drucker/url", '"http://app:9100/"', f'"{NEW}"'),
]


@pytest.mark.parametrize(("content", "codec", "format", "at", "old", "new"), CASES)
def test_exactly_the_selected_bytes_change(
    content: bytes, codec: str, format: str, at: str, old: str, new: str
) -> None:
    selector, encoding = Selector(format=format, at=at), "cp1252" if codec == "cp1252" else "auto"
    raw = find(content, selector, encoding).raw
    before, after = content.rsplit(old.encode(codec), 1)
    edited = replace(content, selector, NEW, encoding)
    assert edited == before + new.encode(codec) + after
    assert find(edited, selector, encoding).value == NEW
    assert put_back(edited, selector, raw, encoding) == content
