"""ProductInstance and OdooInstance: an instance of a product, on a host that an environment offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.host_steps import HostConnection, StepChain
from components.native import NativeProvider
from components.portainer_server import Target
from components.portainer_stack import PortainerStack, PortainerStackArgs
from settings.stack_plan import StackPlan


@dataclass(frozen=True, kw_only=True)
class Named:
    """A name at the router of the host that leads to an instance."""

    host: str
    """All of it."""
    key: str
    """Of the port that it leads to."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Path -> key of another port."""
    tls_port: pulumi.Input[int] = 443


@dataclass(frozen=True, kw_only=True)
class ProductInstanceArgs:
    """An instance with nothing left to decide, and where it goes."""

    connection: HostConnection
    native: NativeProvider
    target: Target
    plan: StackPlan
    """Of a text: nobody pushes to an instance."""
    environment: str
    """Name of the environment's stack."""
    owner: str
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets that are not to be made up."""
    named: Named | None = None
    """None: it has ports alone."""


class ProductInstance(pulumi.ComponentResource):
    """Done when all of its services are well, and its name leads to it. Its secrets are made up once, and stay."""

    kind = "ProductInstance"
    urls: pulumi.Output[dict[str, str]]
    """Address by port name; where a name leads to a port, the name."""
    images: pulumi.Output[dict[str, str]]
    """Image by service."""

    def __init__(self, name: str, args: ProductInstanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare its compose stack, and then its name."""
        super().__init__(f"hypercompose:product:{self.kind}", name, None, opts)
        stack = PortainerStack(name, _stack(args), pulumi.ResourceOptions(parent=self))
        self.urls = pulumi.Output.all(**{**stack.urls, **self._route(args, stack)})
        self.images = stack.images
        self.secrets = stack.secrets
        self.register_outputs({"urls": self.urls, "images": self.images, **self._told()})

    def _told(self) -> dict[str, pulumi.Output[str]]:
        """What this kind of instance tells beside that."""
        return {}

    def _route(self, args: ProductInstanceArgs, stack: PortainerStack) -> dict[str, pulumi.Output[str]]:
        named, ports = args.named, args.plan.ports
        if named is None:
            return {}
        leads_to = {
            "route": args.plan.name,
            "host": named.host,
            "address": args.connection.host,
            "port": ports[named.key],
            "paths": {path: ports[key] for path, key in named.paths.items()},
        }
        chain = StepChain(self, args.native, args.connection, after=[stack])
        chain.add("Route", f"route-{args.plan.name}", leads_to)
        shown = pulumi.Output.from_input(named.tls_port).apply(lambda port: "" if int(port) == 443 else f":{int(port)}")
        return {named.key: pulumi.Output.format("https://{0}{1}", named.host, shown)}


class OdooInstance(ProductInstance):
    """Odoo with a PostgreSQL of its own; usable when its login page answers."""

    kind = "OdooInstance"
    login_url: pulumi.Output[str]

    def _told(self) -> dict[str, pulumi.Output[str]]:
        self.login_url = self.urls.apply(lambda urls: f"{urls['web']}/web/login")
        return {"login_url": self.login_url}


KINDS: Mapping[str, type[ProductInstance]] = {"odoo": OdooInstance}
"""Products that have a component of their own."""


def _stack(args: ProductInstanceArgs) -> PortainerStackArgs:
    return PortainerStackArgs(
        connection=args.connection,
        native=args.native,
        server=args.target,
        gate=None,
        plan=args.plan,
        git=None,
        git_authorities="",
        git_password=None,
        given=args.given,
        environment=args.environment,
        owner=args.owner,
    )
