"""Calls about stacks. Every one of them sends all that a stack is: Portainer wipes what a call leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.portainer.api import DEPLOY_TIMEOUT_S, Portainer, PortainerError
from provisioning.portainer.env_values import to_pairs

ACTIVE, INACTIVE = 1, 2
Found = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class GitSource:
    """Where Portainer reads compose files from."""

    url: str
    ref: str
    path: str
    additional: tuple[str, ...] = ()
    user: str = ""
    password: str = field(default="", repr=False)

    def login(self) -> dict[str, Any]:
        """As every call about git takes it."""
        if not self.user:
            return {"RepositoryAuthentication": False}
        return {
            "RepositoryAuthentication": True,
            "RepositoryUsername": self.user,
            "RepositoryPassword": self.password,
        }


@dataclass(frozen=True, kw_only=True)
class AutoUpdate:
    """How Portainer learns of commits: by asking each `interval` (a Go duration, empty: never), and by a webhook."""

    interval: str
    webhook: str

    def body(self) -> dict[str, Any] | None:
        """As calls take it."""
        return {"Interval": self.interval, "Webhook": self.webhook} if self.interval or self.webhook else None


def commit_of(stack: Found) -> str:
    """The commit that a stack was deployed from; empty for one without git."""
    return str((stack.get("GitConfig") or {}).get("ConfigHash") or "")


class Stacks:
    """The compose stacks of one environment."""

    def __init__(self, server: Portainer, environment: int) -> None:
        """Take the session and the id of the environment."""
        self.server, self.environment = server, environment

    def find(self, name: str) -> Found | None:
        """The stack of that name; of several, as two creations at once leave them, the first."""
        found = [stack for stack in self.server.get("/stacks") if stack["Name"] == name]
        mine = [stack for stack in found if stack["EndpointId"] == self.environment]
        return min(mine, key=lambda stack: int(stack["Id"]), default=None)

    def get(self, identity: int) -> Found | None:
        """The stack; None where it is gone."""
        try:
            found: Found = self.server.get(f"/stacks/{identity}")
        except PortainerError as error:
            if error.status == 404:
                return None
            raise
        return found

    def text(self, identity: int) -> str:
        """The compose file as the server has it."""
        return str(self.server.get(f"/stacks/{identity}/file")["StackFileContent"])

    def create_inline(self, name: str, text: str, env: Mapping[str, str]) -> Found:
        """Deploy a text. Answers when compose has ended."""
        return self._deploy(
            "POST",
            "/stacks/create/standalone/string",
            {"Name": name, "StackFileContent": text, "Env": to_pairs(env)},
        )

    def create_git(self, name: str, source: GitSource, env: Mapping[str, str], update: AutoUpdate) -> Found:
        """Deploy a ref. Answers when compose has ended."""
        body = {
            "Name": name,
            "RepositoryURL": source.url,
            "RepositoryReferenceName": source.ref,
            "ComposeFile": source.path,
            "AdditionalFiles": list(source.additional),
            "Env": to_pairs(env),
            "AutoUpdate": update.body(),
            **source.login(),
        }
        return self._deploy("POST", "/stacks/create/standalone/repository", body)

    def put_inline(self, identity: int, text: str, env: Mapping[str, str]) -> Found:
        """Deploy another text; services that it does not name any more are removed."""
        body = {"StackFileContent": text, "Env": to_pairs(env), "Prune": True}
        return self._deploy("PUT", f"/stacks/{identity}", body)

    def set_git(self, identity: int, source: GitSource, env: Mapping[str, str], update: AutoUpdate) -> Found:
        """Change ref, environment, credentials and polling; deploys nothing."""
        body = {
            "RepositoryReferenceName": source.ref,
            "Env": to_pairs(env),
            "AutoUpdate": update.body(),
            "Prune": True,
            **source.login(),
        }
        found: Found = self.server.post(f"/stacks/{identity}/git", body, endpointId=self.environment)
        return found

    def redeploy(self, identity: int, source: GitSource, env: Mapping[str, str]) -> Found:
        """Deploy the ref's commit anew: every container is made again."""
        body = {"RepositoryReferenceName": source.ref, "Env": to_pairs(env), "Prune": True, **source.login()}
        return self._deploy("PUT", f"/stacks/{identity}/git/redeploy", body)

    def knock(self, webhook: str) -> None:
        """Tell the server that there may be a commit. It answers at once, and says nothing of what comes of it."""
        self.server.post(f"/stacks/webhooks/{webhook}")

    def stop(self, identity: int) -> None:
        """Remove its containers and networks, and keep all else; one that is stopped is no error."""
        self._unless(400, "POST", f"/stacks/{identity}/stop")

    def start(self, identity: int) -> Found | None:
        """Make the containers of one that was stopped again; one that is started is no error."""
        return self._unless(409, "POST", f"/stacks/{identity}/start")

    def delete(self, identity: int) -> None:
        """Remove its containers and networks; named volumes stay. One that is gone is no error."""
        self._unless(404, "DELETE", f"/stacks/{identity}")

    def _unless(self, status: int, method: str, path: str) -> Found | None:
        try:
            return self._deploy(method, path, None)
        except PortainerError as error:
            if error.status != status:
                raise
            return None

    def _deploy(self, method: str, path: str, body: Mapping[str, Any] | None) -> Found:
        query = {"endpointId": self.environment}
        found: Found = self.server.call(method, path, json=body, params=query, timeout_s=DEPLOY_TIMEOUT_S)
        return found
