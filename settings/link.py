"""Settings of links: a host and its Windows companion, service by service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from provisioning.companion.windows import SERVICE_NAME
from settings.host import NAME
from settings.portainer import Port
from settings.site import Model

LINK_NAME = r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$"
SERVICE = r"^[a-z0-9]([a-z0-9_-]{0,46}[a-z0-9])?$"
MODE = r"^0[0-7]{3}$"
Encoding = Literal["auto", "utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
Format = Literal["json", "xml", "ini", "yaml", "properties", "env", "text"]


class Edit(Model):
    """One value in one config file on the companion."""

    file: str = Field(description="below the share's root", examples=["Billing/appsettings.json"])
    at: str = Field(
        min_length=1,
        description="which value: a JSON pointer, an XML path, section/key, a key, or an anchored expression",
        examples=["/Endpoints/Gateway"],
    )
    value: str | None = Field(
        None,
        description="what it is while the service is in containers; `{address}`, `{name}`, `{fqdn}`, `{companion}`, "
        "`{port:<stack>.<port>}` and `{secret:<name>}` stand for what they say, `{{` for a brace",
        examples=["http://{address}:{port:billing.web}"],
    )
    keep: bool = Field(False, description="in place of `value`: what stands there now is right, and stays")
    format: Format | None = Field(None, description="how the file is written; none: by its name")
    encoding: Encoding = Field("auto", description="auto: by its byte order mark or XML declaration, else UTF-8")

    @model_validator(mode="after")
    def _one_of(self) -> Edit:
        if (self.value is None) != self.keep:
            raise ValueError("exactly one of `value` and `keep: true`")
        return self


class LinkedService(Model):
    """A service that may run on either side, and what has to be changed on Windows when it does."""

    edits: tuple[Edit, ...] = Field(min_length=1, description="values that say where it is")
    restarts: tuple[Annotated[str, Field(pattern=f"^{SERVICE_NAME}$")], ...] = Field(
        (), description="Windows services that are restarted when a value has changed", examples=[["CasinoBilling"]]
    )


class WindowsSsh(Model):
    """OpenSSH on the companion, by which services are restarted."""

    user: str = Field("Administrator", pattern=r"^[^\s@:]{1,104}$", description="who logs in, with our key")
    port: Port = Field(22, description="its port")
    host_key: str = Field(
        pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/=]+( .*)?$",
        description="its public host key",
        examples=["ssh-ed25519 AAAA…"],
    )


class Link(Model):
    """A host's Windows companion: its share is mounted, its config files point to what runs in containers."""

    host: str = Field(pattern=NAME, description="the host that mounts the share", examples=["vm-app-1"])
    companion: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$",
        description="address or name of the Windows VM",
        examples=["10.0.10.21"],
    )
    share: str = Field("M", description="its share: one of its own with few rights, or M$, administrators only")
    mount: str = Field("/mnt/m", pattern=r"^(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$", description="where the host has it")
    user: str = Field(description="who uses the share", examples=["svc-compose"])
    domain: str = Field("", description="domain of that user; none: an account of the companion itself")
    encrypt: bool = Field(False, description="whether what travels is encrypted; it is signed in any case")
    uid: int = Field(0, ge=0, le=4294967294, description="who owns its files on the host")
    gid: int = Field(0, ge=0, le=4294967294, description="which group owns them")
    file_mode: str = Field("0640", pattern=MODE, description="mode of its files")
    dir_mode: str = Field("0750", pattern=MODE, description="mode of its folders")
    services: dict[Annotated[str, Field(pattern=SERVICE)], LinkedService] = Field(
        default_factory=dict, description="services by name"
    )
    containerised: tuple[str, ...] = Field((), description="those of the services that run in containers now")
    ssh: WindowsSsh | None = Field(None, description="OpenSSH on the companion; none: nothing is restarted")
