"""PortainerStack: an application on a host, from a project of ours, from git, or from a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.host_steps import HostConnection, StepChain
from components.native import GatedStack, NativeProvider, Password, Publication, Stack, Uuid
from components.portainer_server import PortainerServer, Target
from components.release_gate import ReleaseGate
from components.windows_companion_link import WindowsCompanionLink
from settings.site import Git
from settings.stack_plan import SECRETS_VARIABLE, StackPlan

RELEASES_POLLED = "5m"
"""The gate knocks at Portainer by itself; this is for a knock that was lost."""


@dataclass(frozen=True, kw_only=True)
class PortainerStackArgs:
    """A stack and where it goes. `given`: secrets by name that are not to be made up."""

    connection: HostConnection
    native: NativeProvider
    server: PortainerServer | Target
    gate: ReleaseGate | None
    """Of its host; None for a text, which nobody pushes."""
    plan: StackPlan
    git: Git | None
    git_authorities: str
    """PEM text of those who vouch for the git server; empty: those of the host."""
    git_password: pulumi.Input[str] | None
    given: Mapping[str, str] = field(repr=False)
    environment: str
    """Name of the Pulumi stack."""
    owner: str
    old_place: HostConnection | None = None
    """Of the host that `moved_from` names."""
    links: Sequence[WindowsCompanionLink] = ()
    """Whose shares its containers may mount."""


class PortainerStack(pulumi.ComponentResource):
    """Done when the commit asked for runs, healthy, from the images that its files name."""

    commit: pulumi.Output[str]
    asked: pulumi.Output[str]
    webhook: pulumi.Output[str] | None = None
    """Address that makes its source be looked at at once, of a stack that follows git; a secret."""
    why: pulumi.Output[str]
    """Why another commit runs than the one asked for; empty where it does not."""
    images: pulumi.Output[dict[str, str]]
    """Image by service, by digest where the files say so."""
    urls: dict[str, pulumi.Output[str]]
    secrets: Mapping[str, pulumi.Output[str]]
    """By name; all of them are Pulumi secrets."""

    def __init__(self, name: str, args: PortainerStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare secrets, publication, stack."""
        moved = args.plan.settings.moved_from
        if moved and moved.stack:  # children whose names begin with ours inherit it
            known_as = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=moved.stack)])
            opts = pulumi.ResourceOptions.merge(opts, known_as)
        super().__init__("hypercompose:portainer:PortainerStack", name, None, opts)
        self._name, self._args = name, args
        if args.plan.warning:
            pulumi.log.warn(f"stack {args.plan.name}: {args.plan.warning}", self)
        secrets = {key: self._secret(key, args.plan.secrets[key].generate) for key in args.plan.secrets}
        self.secrets = secrets
        files = {key: value for key, value in secrets.items() if not args.plan.secrets[key].variable}
        mounted = [resource for link in args.links for resource in link.mounted]
        after: list[pulumi.Resource] = [*args.server.done, *mounted]
        if files:
            chain = StepChain(self, args.native, args.connection, after=args.server.done)
            after.append(chain.add("SecretFiles", f"secrets-{args.plan.name}", self._files(files), "files"))
        common, source = self._common(secrets, files), self._source()
        if args.plan.is_gated and args.gate is not None:
            gated = GatedStack(f"{name}-gate", {**common, **self._follow(source)}, self._on_host(*after))
            stack = Stack(name, {**common, **self._release(args.gate)}, self._on_host(*after, gated))
            self.commit, self.images = gated.runningCommit, gated.images
            self.asked, self.why = gated.asked, gated.why
            self.webhook = pulumi.Output.concat(args.gate.url, "/hooks/", self._hook)
        else:
            stack = Stack(name, {**common, **source}, self._on_host(*after))
            self.commit, self.images = stack.runningCommit, stack.running
            self.asked = self.why = pulumi.Output.from_input("")
            self.webhook = self._webhook_of(stack) if args.plan.git else None
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
            "place": connection.name,
            **self._moved_from(),
            "run": plan.settings.run,
            "adopt": plan.settings.adopt,
            "keepVolumes": plan.settings.keep_volumes,
            "allowedPaths": [
                *plan.settings.allowed_paths,
                *(link.mount for link in self._args.links),
                *([plan.secrets_folder] if files else []),
            ],
            "timeoutS": plan.settings.timeout_s,
            "hide": list(secrets.values()),
        }

    def _moved_from(self) -> dict[str, Any]:
        plan, old = self._args.plan, self._args.old_place or self._args.connection
        if plan.settings.moved_from is None:
            return {}
        named = {"name": plan.settings.moved_from.stack or plan.name, "place": old.name}
        place = {key: value for key, value in old.inputs().items() if key == "connection"}
        return {"movedFrom": {**named, **place, "volumes": plan.settings.moved_from.volumes}}

    def _webhook_of(self, stack: Stack) -> pulumi.Output[str]:
        url = self._args.server.session["url"]
        return pulumi.Output.secret(pulumi.Output.concat(url, "/api/stacks/webhooks/", stack.webhook))

    def _source(self) -> dict[str, Any]:
        plan = self._args.plan
        if plan.inline is not None:
            return {"inline": plan.inline}
        if plan.git is not None:
            git = {"url": plan.git.url, "ref": plan.git.ref, "additional": list(plan.git.additional)}
            follows = {"interval": plan.settings.poll, "webhookGeneration": plan.settings.webhook_generation}
            return {**git, "path": plan.path, **follows, **self._login(needed=plan.git.login)}
        place = self._place()
        publication = Publication(f"{self._name}-files", {**place, **self._published()}, self._options())
        more = {"path": plan.path, "additional": [], "interval": plan.settings.poll}
        return {**place, **more, "commit": publication.commit}

    def _follow(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """What the gate is told beside what every stack is."""
        self._webhook, self._hook = self._uuid("webhook"), self._uuid("hook")
        wanted = {key: value for key, value in source.items() if key not in ("ca", "webhookGeneration")}
        return {
            **wanted,
            "authorities": self._args.git_authorities,
            "hook": self._hook,
            "webhook": self._webhook,
            "repushed": self._args.plan.settings.repushed,
        }

    def _release(self, gate: ReleaseGate) -> dict[str, Any]:
        """What Portainer is told: the gate's own repository, and no variable, as none is left in a release."""
        own = {"env": {}, "gated": True, "interval": RELEASES_POLLED, "hook": self._webhook}
        return {**gate.source(self._args.plan.name), **own}

    @property
    def _generation(self) -> str:
        return str(self._args.plan.settings.webhook_generation)

    def _uuid(self, part: str) -> pulumi.Output[str]:
        value: pulumi.Output[str] = pulumi.Output.secret(
            Uuid(f"{self._name}-{part}", {"keeper": self._generation}, self._options()).value
        )
        return value

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
        return pulumi.ResourceOptions(parent=self, provider=self._args.native, depends_on=list(after))

    def _on_host(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        own = pulumi.ResourceOptions(deleted_with=self._args.connection.gone_with)
        return pulumi.ResourceOptions.merge(self._options(*after), own)
