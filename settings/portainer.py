"""Settings of Portainer and of the stacks that it runs."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from settings.site import Model

STACK_NAME = r"^[a-z0-9][a-z0-9_-]{0,47}$"
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
DURATION = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
Port = Annotated[int, Field(ge=1, le=65535)]


class PortainerSettings(Model):
    """Portainer on a host, for its own Docker and for that of other hosts."""

    image: str = Field("portainer", description="key of its image in the site's image lock")
    port: Port = Field(9443, description="port of its page and API, at the host's address")
    server: str | None = Field(
        None, description="the host whose Portainer is used; none: every host has its own", examples=["vm-app-1"]
    )
    sources: tuple[IPv4Network, ...] = Field(
        (), validate_default=True, description="networks that may reach it", examples=[["10.0.10.0/24"]]
    )
    gate_port: Port = Field(9444, description="port of the gate, which releases commits: for Portainer, hooks, metrics")
    gate_sources: tuple[IPv4Network, ...] = Field(
        (), description="networks that may reach the gate's port from outside, for hooks and metrics"
    )
    snapshot_interval: str = Field(
        "5m", pattern=r"^[0-9]+[smh]$", description="how often it looks at Docker as a whole"
    )
    via: Literal["tls", "agent"] = Field(
        "tls", description="how that reaches this host's Docker: client certificates, or an agent that is there already"
    )
    registry_users: tuple[str, ...] = Field((), description="users of Portainer who may use the site's registry, too")
    registry_teams: tuple[str, ...] = Field((), description="teams of Portainer who may")
    key_generation: int = Field(1, ge=1, description="another number: our API key is made again, the old one revoked")
    password_generation: int = Field(
        1, ge=1, description="another number: another administrator's password is made up, where none is given"
    )

    @field_validator("sources")
    @classmethod
    def _reachable(cls, sources: tuple[IPv4Network, ...], info: ValidationInfo) -> tuple[IPv4Network, ...]:
        if not sources and info.data.get("server") is None:
            raise ValueError("the networks that may reach it; or `server`, another host that has it")
        return sources

    @model_validator(mode="after")
    def _two_ports(self) -> PortainerSettings:
        if self.port == self.gate_port:
            raise ValueError(f"another `gate_port` than {self.port}, which is the page's")
        return self


class GitStack(Model):
    """Compose files in somebody's repository. Whoever pushes there deploys."""

    url: str = Field(pattern=r"^https?://[^\s@]+$", description="its address", examples=["https://git.example.com/a/b"])
    ref: str = Field("refs/heads/main", pattern=r"^refs/(heads|tags)/\S+$", description="branch or tag, in full")
    path: str = Field("compose.yaml", pattern=r"^[^/\s][^\s]*$", description="the compose file")
    additional: tuple[str, ...] = Field((), description="more compose files, laid over it in this order")
    login: bool = Field(True, description="whether it is read as the site's git user")

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> GitStack:
        if self.login and self.url.startswith("http://"):
            raise ValueError("`login: false`, or an https:// address: a password is not sent without TLS")
        return self


class Secret(Model):
    """A secret of a stack: its own value by `hypercompose:stack_secrets`, else one that is made up once."""

    generate: int | None = Field(32, ge=12, le=256, description="letters and digits to make up; none: it must be given")
    variable: bool = Field(
        False, description="an environment variable instead of a file; `docker inspect` shows those to all of its users"
    )


class MovedFrom(Model):
    """What a stack was before it was renamed or moved to another host; may be taken out after the next `up`."""

    stack: str | None = Field(None, pattern=STACK_NAME, description="its name before; none: the same")
    host: str | None = Field(None, description="where it ran before; none: on the same host")
    volumes: Literal["copy", "leave"] = Field(
        description="`copy` its named volumes to the new one while it stands still, or `leave` them and begin anew"
    )

    @model_validator(mode="after")
    def _something(self) -> MovedFrom:
        if self.stack is None and self.host is None:
            raise ValueError("`stack`, its name before, or `host`, where it ran before, or both")
        return self


class Stack(Model):
    """An application: a project of compose/, somebody's git repository, or the text of a compose file."""

    project: str | None = Field(None, pattern=STACK_NAME, description="folder below compose/", examples=["guestbook"])
    git: GitStack | None = Field(None, description="compose files in a repository")
    inline: str | None = Field(None, min_length=1, description="the compose file itself")
    version: str | None = Field(
        None, description="of a project that is a product: one of its versions; none: the default", examples=["14"]
    )
    size: str | None = Field(
        None, description="of a project that is a product: one of its sizes; none: the default", examples=["small"]
    )
    host: str | None = Field(None, description="where it runs; none: the only host with Portainer")
    ports: dict[Annotated[str, Field(pattern=FILE_NAME)], Port] = Field(
        default_factory=dict, description="published ports by name; those of a project by the names it gives them"
    )
    sources: tuple[IPv4Network, ...] = Field((), description="networks that may reach the ports")
    env: dict[Annotated[str, Field(pattern=VARIABLE)], str] = Field(
        default_factory=dict, description="environment of the compose files"
    )
    secrets: dict[Annotated[str, Field(pattern=FILE_NAME)], Secret] = Field(
        default_factory=dict, description="secrets beside those that a project names itself"
    )
    rollout: Literal["gated", "direct"] = Field(
        "gated",
        description="who looks at commits first: the host's gate, which keeps what runs, or nobody but Portainer",
    )
    repushed: Literal["report", "deploy"] = Field(
        "report", description="gated: what comes of a tag that was pushed again with another image"
    )
    poll: str = Field("1m", pattern=DURATION, description="how often git is asked for commits; empty: by webhook only")
    tenant: str | None = Field(None, pattern=FILE_NAME, description="label of its containers; none: the site's id")
    instance: str | None = Field(None, pattern=FILE_NAME, description="label of its containers; none: the stack's name")
    run: Literal["started", "stopped"] = Field(
        "started", description="`stopped`: its containers are removed, its volumes stay, and no push starts it"
    )
    webhook_generation: int = Field(1, ge=1, description="another number: another webhook, and the old one is gone")
    moved_from: MovedFrom | None = Field(None, description="what it was before a rename or a move")
    adopt: bool = Field(False, description="whether a stack of this name that others made is taken over")
    keep_volumes: bool = Field(True, description="whether its named volumes stay when it is destroyed")
    allowed_paths: tuple[str, ...] = Field((), description="folders of the host that its containers may mount")
    links: tuple[str, ...] = Field((), description="links of its host whose shares its containers may mount")
    timeout_s: int = Field(180, ge=10, le=3600, description="deadline until all of it is healthy")

    @model_validator(mode="after")
    def _one_source(self) -> Stack:
        given = [name for name in ("project", "git", "inline") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of project, git and inline, not {' and '.join(given) or 'none'}")
        if self.ports and not self.sources:
            raise ValueError("`sources`, the networks that may reach its ports")
        return self
