"""From an order to a compose stack with nothing left to decide, by the same rules as stacks of an environment."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pulumi
import yaml

from components.product_instance import Named
from hosting.order import Order
from hosting.products import product_named
from settings import SettingsError, Site
from settings.portainer import Stack
from settings.project import MAIN
from settings.stack_plan import StackPlan, plan_stack

PATIENCE = 3.0
"""How many times longer than its product says an instance may take: the host may be busy with others."""
ANYWHERE = IPv4Network("0.0.0.0/0")
"""Who may reach the ports is the environment's to say: it has opened its range."""


def instance_plan(order: Order, site: Site) -> StackPlan:
    """The instance as a text. Raises SettingsError, DemandRefused."""
    product = product_named(order.product)
    settings = Stack(
        project=order.product,
        version=order.version,
        size=order.size,
        env={**product.checked(order.settings), **(product.hosting.routed if order.route else {})},
        ports=dict(order.ports),
        sources=(ANYWHERE,),
        tenant=order.tenant,
        instance=order.name,
        run="stopped" if order.run == "stopped" else "started",
        keep_volumes=order.keep_volumes,
        timeout_s=int(ready_s(order)),
    )
    plan = plan_stack(site, order.environment, order.compose_project, settings, order.host)
    files = dict(plan.files or {})
    text = files.pop(MAIN)
    if files:
        raise SettingsError(
            f"compose/{order.product}", [f"{', '.join(files)}: expected {MAIN} alone; put the rest into its images"]
        )
    return replace(plan, files=None, inline=text)


def name_of(order: Order, tls_port: pulumi.Input[int]) -> Named | None:
    """The name that leads to it, and where its paths lead; None: it has none."""
    offer = product_named(order.product).hosting
    if order.route is None or offer.route is None:
        return None
    return Named(host=order.route, key=offer.route, paths=offer.paths, tls_port=tls_port)


def images_of(plan: StackPlan) -> dict[str, str]:
    """Image by service of a plan that is a text."""
    services = yaml.safe_load(plan.inline or "")["services"]
    return {name: str(service["image"]) for name, service in services.items()}


def ready_s(order: Order) -> float:
    """How long it may take until all of it is well."""
    return product_named(order.product).hosting.ready_s * PATIENCE
