"""ProductInstance and OdooInstance: an instance of a product, on a host that an environment offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.host_steps import HostConnection
from components.native import NativeProvider
from components.portainer_server import Target
from components.portainer_stack import PortainerStack, PortainerStackArgs
from settings.stack_plan import StackPlan


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


class ProductInstance(pulumi.ComponentResource):
    """Done when all of its services are well. Its secrets are made up once, and stay."""

    kind = "ProductInstance"
    urls: pulumi.Output[dict[str, str]]
    """Address by port name."""
    images: pulumi.Output[dict[str, str]]
    """Image by service."""

    def __init__(self, name: str, args: ProductInstanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare its compose stack."""
        super().__init__(f"hypercompose:product:{self.kind}", name, None, opts)
        stack = PortainerStack(name, _stack(args), pulumi.ResourceOptions(parent=self))
        self.urls = pulumi.Output.all(**stack.urls)
        self.images = stack.images
        self.secrets = stack.secrets
        self.register_outputs({"urls": self.urls, "images": self.images})


class OdooInstance(ProductInstance):
    """Odoo with a PostgreSQL of its own; usable when its login page answers."""

    kind = "OdooInstance"
    login_url: pulumi.Output[str]

    def __init__(self, name: str, args: ProductInstanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare it."""
        super().__init__(name, args, opts)
        self.login_url = self.urls.apply(lambda urls: f"{urls['web']}/web/login")


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
