"""A site file: what is there. One per Proxmox cluster, `sites/<site>.yaml`."""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from settings.errors import SettingsError, from_validation

CHECKOUT = Path(__file__).resolve().parent.parent
DOCKER_PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


class Model(BaseModel):
    """Base of every settings type: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _https(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("an https:// address; the provider speaks nothing else")
    return url.rstrip("/")


class Network(Model):
    """An IPv4 network as seen by the VMs on it."""

    cidr: IPv4Network = Field(description="the network in CIDR notation", examples=["10.0.10.0/24"])
    gateway: IPv4Address | None = Field(None, description="default gateway of the VMs", examples=["10.0.10.1"])
    dns: tuple[IPv4Address, ...] = Field((), description="name servers of the VMs", examples=[["10.0.10.1"]])


class Bridge(Network):
    """A Linux bridge that exists on the nodes, and the networks of its VLANs."""

    nodes: tuple[str, ...] = Field((), description="nodes that have it; empty: all of them")
    vlans: dict[int, Network] = Field(default_factory=dict, description="VLAN id -> its network")


class Storages(Model):
    """Which storage holds what."""

    disks: str = Field(description="storage for VM disks (content `images`)", examples=["local-lvm"])
    iso: str = Field(description="storage for seed ISOs (content `iso`)", examples=["local"])
    snippets: str | None = Field(None, description="storage for snippets; only for host_key: snippet")


class Proxmox(Model):
    """The cluster: endpoint, trust, nodes, storages, templates, bridges."""

    endpoint: Annotated[str, AfterValidator(_https)] = Field(
        description="address of the API", examples=["https://pve.example.com:8006"]
    )
    ca: Path | None = Field(None, description="CA certificate of the API (PEM); none: the system's")
    nodes: tuple[str, ...] = Field(min_length=1, description="node names; the first is the default")
    storages: Storages = Field(description="which storage holds what")
    templates: dict[str, dict[str, int]] = Field(description="template name -> node -> VM id of the template there")
    bridges: dict[str, Bridge] = Field(description="bridges by name")


class Keep(Model):
    """Which exports of a stack's state stay on the machine that made them."""

    last: int = Field(20, ge=1, description="how many of the last ones")
    days: int = Field(30, ge=0, description="for how many days the last one of each day")


class State(Model):
    """Where the site's Pulumi state lives, and what encrypts its secrets."""

    backend: str = Field(description="state backend; relative file:// paths start at the checkout")
    passphrase: str | None = Field(None, description="only where nothing is worth protecting (the lab)")
    keep: Keep = Field(Keep(), description="exports that stay")


class Ssh(Model):
    """Who logs in to new VMs."""

    user: str = Field("ops", pattern=r"^[a-z_][a-z0-9_-]{0,31}$", description="user made at first boot")
    public_keys: Path | tuple[str, ...] = Field(description="public keys, or the file that lists them")


class Git(Model):
    """The site's git server (Bitbucket). Its password is a secret: `hypercompose:git_password`."""

    url: Annotated[str, AfterValidator(_https)] = Field(
        description="its address", examples=["https://git.example.com/scm"]
    )
    ca: Path | None = Field(None, description="CA certificate of its TLS (PEM); none: the system's")
    user: str | None = Field(None, description="who logs in; none: nobody", examples=["hypercompose"])
    repository: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._~/-]+$",
        description="where rendered compose projects are published, a branch for each",
        examples=["infra/deployments"],
    )


class Images(Model):
    """Images of the site's registry: which digest each key of a compose file means, and how they are made."""

    lock: Path = Field(description="file that `make images` writes", examples=["sites/main.images.yaml"])
    base: str = Field("debian:bookworm-slim", description="image that the project's own images start from")
    bases: dict[str, str] = Field(
        default_factory=dict,
        description="key -> image that this one starts from instead",
        examples=[{"odoo": "debian:bullseye-slim"}],
    )
    prefix: str = Field("hypercompose", pattern=r"^[a-z0-9._/-]+$", description="where in the registry they are")
    external: dict[str, str] = Field(
        default_factory=dict,
        description="key -> repository:tag of images that others made",
        examples=[{"portainer": "portainer/portainer-ce:2.33.8"}],
    )


class DnfRepository(Model):
    """A signed repository for dnf."""

    url: str = Field(pattern=r"^https?://\S+$", description="its baseurl; dnf's variables may stand in it")
    key: Path = Field(description="file with the public key that signs it (ASCII armour)")


class AptRepository(DnfRepository):
    """A signed repository for apt."""

    suite: str = Field(pattern=r"^[A-Za-z0-9./_-]+$", description="its suite", examples=["trixie"])
    components: tuple[str, ...] = Field(("stable",), description="its components")


class DockerSource(Model):
    """Where Docker CE comes from, and which sets of versions hosts may have."""

    dnf: DnfRepository | None = Field(None, description="for Rocky Linux and its like")
    apt: AptRepository | None = Field(None, description="for Debian and Ubuntu")
    versions: dict[str, dict[str, str]] = Field(
        description="a name -> package -> version, all five of Docker's packages; the first is the default"
    )

    @model_validator(mode="after")
    def _whole(self) -> DockerSource:
        for name, versions in self.versions.items():
            if set(versions) != set(DOCKER_PACKAGES):
                raise ValueError(f"in {name!r} exactly the packages {', '.join(DOCKER_PACKAGES)}")
        if not self.versions:
            raise ValueError("at least one set of versions")
        return self


class ProofImage(Model):
    """An image that every Docker host runs once, to prove that registry, login and engine work together."""

    image: str = Field(description="repository and tag in the registry", examples=["infra/probe:1"])
    port: int | None = Field(None, ge=1, le=65535, description="port that answers HTTP; none: it must end with 0")


class Registry(Model):
    """Container registry (ProGet). Its password is a secret: `hypercompose:registry_password`."""

    url: Annotated[str, AfterValidator(_https)] = Field(
        description="its address", examples=["https://proget.example.com"]
    )
    ca: Path | None = Field(None, description="CA certificate of its TLS (PEM); none: the system's")
    kind: Literal["proget", "custom"] = Field("proget", description="how Portainer is to treat it")
    user: str | None = Field(None, description="who logs in; none: nobody", examples=["hypercompose"])
    proof: ProofImage | None = Field(None, description="image that each Docker host runs once")

    @property
    def host(self) -> str:
        """As image names carry it: `proget.example.com` or `registry.example.com:5000`."""
        return self.url.removeprefix("https://").split("/")[0]


class AcceptedPortainer(Model):
    """A release of Portainer that is accepted although it has known holes."""

    version: str = Field(description="exactly", examples=["2.27.3"])
    reason: str = Field(min_length=10, description="why")
    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] = Field(
        description="last day on which it is accepted", examples=["2027-01-31"]
    )


class PortainerSite(Model):
    """What the site says of Portainer."""

    accept: tuple[AcceptedPortainer, ...] = Field((), description="releases accepted by name, with reason and expiry")


class HostingRules(Model):
    """How a site treats instances of products."""

    database: str | None = Field(
        None,
        pattern=r"^(sqlite|postgresql)(\+[a-z]+)?://\S+$",
        description="URL without a password; none: a file of SQLite beside the site's other files on this machine",
        examples=["postgresql://hosting@db.example.com/hosting"],
    )
    max_days: int = Field(366, ge=1, le=36500, description="days that an instance may last from now")
    warn_hours: int = Field(72, ge=0, le=8760, description="hours before its deadline that people are told of it")
    grace_days: int = Field(
        7, ge=0, le=3650, description="days between the stop at the deadline and the end of its data"
    )
    backup_hours: int = Field(24, ge=0, le=8760, description="hours before the end of its data that it is backed up")
    final_backup: bool = Field(True, description="whether nothing is destroyed for its deadline without a backup")
    stops_per_tick: int = Field(10, ge=1, le=1000, description="instances that one look at the clock may stop")


class Site(Model):
    """Everything that is there before a stack wants something."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="recorded in every state of this site")
    state: State = Field(description="where the state is")
    credentials: Path | None = Field(None, description="file of exports that `make env` hands on (mode 0600)")
    proxmox: Proxmox = Field(description="the cluster")
    ssh: Ssh = Field(description="who logs in to new VMs")
    domain: str = Field(description="DNS domain of the VMs", examples=["site.example.com"])
    docker: DockerSource | None = Field(None, description="where Docker CE comes from")
    registry: Registry | None = Field(None, description="container registry (ProGet)")
    git: Git | None = Field(None, description="git server (Bitbucket)")
    images: Images | None = Field(None, description="images by key, and their digests")
    portainer: PortainerSite | None = Field(None, description="which releases of Portainer are accepted")
    hosting: HostingRules = Field(HostingRules(), description="instances of products: their database and time limits")
    defaults: dict[str, Any] = Field(
        default_factory=dict, description="stack settings of all its stacks, below those of their class and their own"
    )

    def network(self, bridge: str, vlan: int | None) -> Network | None:
        """The network on a bridge or one of its VLANs; None where the site file does not know it."""
        found = self.proxmox.bridges.get(bridge)
        return found if found is None or vlan is None else found.vlans.get(vlan)

    def authorized_keys(self) -> tuple[str, ...]:
        """Public keys for new VMs. Raises SettingsError when the file is missing or holds none."""
        if isinstance(self.ssh.public_keys, tuple):
            return self.ssh.public_keys
        path = _in_checkout(self.ssh.public_keys)
        keys = [line.strip() for line in path.read_text().splitlines()] if path.is_file() else []
        keys = [line for line in keys if line and not line.startswith("#")]
        if not keys:
            raise SettingsError(
                f"sites/{self.id}.yaml",
                [f"ssh.public_keys: {path} holds no public key; put one per line there (`ssh-keygen -t ed25519`)"],
            )
        return tuple(keys)

    def text_of(self, setting: str, file: Path) -> str:
        """The text of a file that the site file names. Raises SettingsError when it cannot be read."""
        path = _in_checkout(file)
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"sites/{self.id}.yaml", [f"{setting}: {path} cannot be read ({error}); put the file there"]
            ) from error


def _in_checkout(file: Path) -> Path:
    return CHECKOUT / file.expanduser()


def site_file(name: str) -> Path:
    """Where the file of a site is: in $HYPERCOMPOSE_SITES, else in `sites/`."""
    return Path(os.environ.get("HYPERCOMPOSE_SITES") or CHECKOUT / "sites") / f"{name}.yaml"


def load_site(name: str) -> Site:
    """Read and check a site file. Raises SettingsError that names file, field and remedy."""
    path = site_file(name)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) or "none"
        raise SettingsError("hypercompose:site", [f"{name!r} has no file {path}; known sites: {known}"])
    return parse_site(f"sites/{path.name}", path.read_text())


def parse_site(source: str, text: str) -> Site:
    """Parse the YAML text of a site file; `source` names it in errors."""
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(source, [f"not YAML: {error}"]) from error
    try:
        return Site.model_validate(raw)
    except ValidationError as error:
        raise from_validation(source, error, Site) from error
