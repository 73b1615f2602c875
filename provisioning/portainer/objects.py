"""What a Portainer server is told beside its stacks: its settings, its environment, its registries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.portainer.api import Portainer, PortainerError

LOCAL_SOCKET = "unix:///var/run/docker.sock"
REGISTRY_TYPES = {"custom": 3, "proget": 5}


def find_environment(server: Portainer, name: str) -> Mapping[str, Any] | None:
    """The environment of that name; names are told apart by case, too."""
    found: list[Mapping[str, Any]] = server.get("/endpoints", name=name)
    return next((entry for entry in found if entry["Name"] == name), None)


@dataclass(frozen=True, kw_only=True)
class Remote:
    """Docker on another host: `tcp://address:port`, by client certificate (PEM), or an agent that is there already."""

    url: str
    authority: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    is_agent: bool = False

    def form(self) -> dict[str, Any]:
        """As creation takes it."""
        if self.is_agent:
            skips = dict.fromkeys(("TLS", "TLSSkipVerify", "TLSSkipClientVerify"), (None, "true"))
            return {"EndpointCreationType": (None, "2"), "URL": (None, self.url), **skips}
        files = {name: (f"{kind}.pem", text) for (name, kind), text in zip(_TLS_FILES, self._texts(), strict=True)}
        return {"EndpointCreationType": (None, "1"), "URL": (None, self.url), "TLS": (None, "true"), **files}

    def uploads(self) -> dict[str, str]:
        """Texts by the kind of file that an upload names."""
        return {kind: text for (_, kind), text in zip(_TLS_FILES, self._texts(), strict=True)}

    def _texts(self) -> tuple[str, str, str]:
        return self.authority, self.certificate, self.key


_TLS_FILES = (("TLSCACertFile", "ca"), ("TLSCertFile", "cert"), ("TLSKeyFile", "key"))


def ensure_environment(server: Portainer, name: str, remote: Remote | None = None) -> int:
    """Id of the environment of the server's own Docker, or of another host's, made when there is none."""
    found = find_environment(server, name)
    if found is None:
        own = {"EndpointCreationType": (None, "1"), "URL": (None, LOCAL_SOCKET)}
        form = {"Name": (None, name), **(remote.form() if remote else own)}
        found = server.call("POST", "/endpoints", files=form)
    elif remote and not remote.is_agent:
        identity = int(found["Id"])
        for kind, text in remote.uploads().items():
            form = {"folder": (None, str(identity)), "file": (f"{kind}.pem", text)}
            server.call("POST", f"/upload/tls/{kind}", files=form)
        flags = {"TLS": True, "TLSSkipVerify": False, "TLSSkipClientVerify": False}
        server.put(f"/endpoints/{identity}", {"Name": name, "URL": remote.url, **flags})
    return int(found["Id"])


def registry_body(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A registry as the API takes it: `kind`, `name`, `url`, and `user` with `password` or neither."""
    body: dict[str, Any] = {
        "Name": inputs["name"],
        "Type": REGISTRY_TYPES[inputs["kind"]],
        "URL": inputs["url"],
        "BaseURL": str(inputs["url"]).partition("/")[0] if inputs["kind"] == "proget" else "",
        "Authentication": bool(inputs.get("user")),
    }
    if inputs.get("user"):
        body |= {"Username": inputs["user"], "Password": inputs["password"]}
    return body


def find_registry(server: Portainer, name: str) -> Mapping[str, Any] | None:
    """The registry of that name."""
    found: list[Mapping[str, Any]] = server.get("/registries")
    return next((entry for entry in found if entry["Name"] == name), None)


def ensure_registry(server: Portainer, inputs: Mapping[str, Any]) -> int:
    """Id of the registry, made or brought to these inputs."""
    body, found = registry_body(inputs), find_registry(server, str(inputs["name"]))
    if found is not None and found["Type"] != body["Type"]:
        remove_registry(server, int(found["Id"]))
        found = None
    if found is None:
        return int(server.post("/registries", body)["Id"])
    server.put(f"/registries/{found['Id']}", body)
    return int(found["Id"])


def remove_registry(server: Portainer, identity: int) -> None:
    """Remove it. One that is missing would make the server drop the connection, so it is looked for first."""
    if any(entry["Id"] == identity for entry in server.get("/registries")):
        server.delete(f"/registries/{identity}")


def remove_environment(server: Portainer, identity: int) -> None:
    """Remove it; its containers stay."""
    try:
        server.delete(f"/endpoints/{identity}")
    except PortainerError as error:
        if error.status != 404:
            raise


def settings_of(server: Portainer) -> Mapping[str, Any]:
    """All settings."""
    found: Mapping[str, Any] = server.get("/settings")
    return found
