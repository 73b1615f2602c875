"""PortainerStack: an application on a host, from a project of ours, from git, or from a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.host_steps import HostConnection, StepChain
from components.native import Password, Publication, Stack
from components.portainer_server import PortainerServer, Target
from components.site_access import SiteAccess
from settings.site import Git
from settings.stack_plan import SECRETS_VARIABLE, StackPlan


@dataclass(frozen=True, kw_only=True)
class PortainerStackArgs:
    """A stack and where it goes. `given`: secrets by name that are not to be made up."""

    connection: HostConnection
    site: SiteAccess
    server: PortainerServer | Target
    plan: StackPlan
    git: Git | None
    git_password: pulumi.Input[str] | None
    given: Mapping[str, str] = field(repr=False)
    environment: str
    """Name of the Pulumi stack."""
    owner: str


class PortainerStack(pulumi.ComponentResource):
    """Done when the commit asked for runs, healthy, from the images that its files name."""

    commit: pulumi.Output[str]
    images: pulumi.Output[dict[str, str]]
    """Image by service, by digest where the files say so."""
    urls: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: PortainerStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare secrets, publication, stack."""
        super().__init__("hypercompose:portainer:PortainerStack", name, None, opts)
        self._name, self._args = name, args
        secrets = {key: self._secret(key, args.plan.secrets[key].generate) for key in args.plan.secrets}
        files = {key: value for key, value in secrets.items() if not args.plan.secrets[key].variable}
        after: list[pulumi.Resource] = [*args.server.done]
        if files:
            chain = StepChain(self, args.site.native, args.connection, after=args.server.done)
            after.append(chain.add("SecretFiles", f"secrets-{args.plan.name}", self._files(files), "files"))
        source = self._source()
        stack = Stack(name, {**self._common(secrets, files), **source}, self._on_host(*after))
        self.commit, self.images = stack.runningCommit, stack.running
        self.urls = {
            key: pulumi.Output.format("http://{0}:{1}", args.connection.host, port)
            for key, port in args.plan.ports.items()
        }
        self.register_outputs({"commit": self.commit, "images": self.images, "urls": self.urls})

    def _common(
        self, secrets: Mapping[str, pulumi.Output[str]], files: Mapping[str, pulumi.Output[str]]
    ) -> dict[str, Any]:
        plan, server, connection = self._args.plan, self._args.server, self._args.connection
        variables = {key: value for key, value in secrets.items() if key not in files}
        folder = {SECRETS_VARIABLE: plan.secrets_folder} if files else {}
        return {
            "server": server.session,
            "environmentId": server.environment_id,
            **connection.inputs(),
            "name": plan.name,
            "owner": self._args.owner,
            "env": {**plan.env, **folder, **variables},
            "adopt": plan.settings.adopt,
            "keepVolumes": plan.settings.keep_volumes,
            "allowedPaths": [*plan.settings.allowed_paths, *([plan.secrets_folder] if files else [])],
            "timeoutS": plan.settings.timeout_s,
            "hide": list(secrets.values()),
        }

    def _source(self) -> dict[str, Any]:
        plan = self._args.plan
        if plan.inline is not None:
            return {"inline": plan.inline}
        if plan.git is not None:
            git = {"url": plan.git.url, "ref": plan.git.ref, "additional": list(plan.git.additional)}
            return {**git, "path": plan.path, "interval": plan.settings.poll, **self._login(needed=plan.git.login)}
        place = self._place()
        publication = Publication(f"{self._name}-files", {**place, **self._published()}, self._options())
        more = {"path": plan.path, "additional": [], "interval": plan.settings.poll}
        return {**place, **more, "commit": publication.commit}

    def _place(self) -> dict[str, Any]:
        git, plan = self._args.git, self._args.plan
        if git is None or git.repository is None:
            raise ValueError("a project needs git.repository of the site; plan_stacks has refused this already")
        ref = f"refs/heads/{self._args.environment}/{plan.name}"
        return {"url": f"{git.url}/{git.repository}.git", "ref": ref, **self._login(needed=True)}

    def _published(self) -> dict[str, Any]:
        files = dict(self._args.plan.files or {})
        return {"files": files, "message": f"{self._args.plan.name} in {self._args.environment}"}

    def _login(self, *, needed: bool) -> dict[str, Any]:
        git = self._args.git
        if git is None:
            return {}
        login = {"user": git.user, "password": self._args.git_password} if needed and git.user else {}
        return {**login, **({"ca": str(git.ca)} if git.ca else {})}

    def _secret(self, key: str, generate: int | None) -> pulumi.Output[str]:
        given = self._args.given.get(key)
        return pulumi.Output.secret(given if given is not None else self._made_up(key, generate or 32))

    def _made_up(self, key: str, length: int) -> pulumi.Output[str]:
        return Password(f"{self._name}.{key}", {"length": length, "keeper": ""}, self._options()).value

    def _files(self, files: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
        return {"stack": self._args.plan.name, "files": dict(files)}

    def _options(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self._args.site.native, depends_on=list(after))

    def _on_host(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        own = pulumi.ResourceOptions(deleted_with=self._args.connection.gone_with)
        return pulumi.ResourceOptions.merge(self._options(*after), own)
