"""From an order to a compose stack with nothing left to decide, by the same rules as stacks of an environment."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from pydantic import ValidationError

from hosting.order import Order
from hosting.products import product_named
from settings import SettingsError, Site
from settings.errors import from_validation
from settings.portainer import Stack
from settings.product import Product
from settings.project import MAIN
from settings.stack_plan import StackPlan, plan_stack

PATIENCE = 3.0
"""How many times longer than its product says an instance may take: the host may be busy with others."""
LEAST_S, MOST_S = 10, 3600
"""What a stack's deadline may be."""
ANYWHERE = IPv4Network("0.0.0.0/0")
"""Who may reach the ports is the environment's to say: it has opened its range."""


def instance_plan(order: Order, site: Site) -> StackPlan:
    """The instance as a text. Raises SettingsError, DemandRefused."""
    product = product_named(order.product)
    settings = _settings(
        order,
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
        timeout_s=round(min(max(_patience_s(product), LEAST_S), MOST_S)),
    )
    plan = plan_stack(site, order.environment, order.compose_project, settings, order.host)
    files = dict(plan.files or {})
    text = files.pop(MAIN)
    if files:
        raise SettingsError(
            f"compose/{order.product}", [f"{', '.join(files)}: expected {MAIN} alone; put the rest into its images"]
        )
    return replace(plan, files=None, inline=text)


def _settings(order: Order, **given: Any) -> Stack:
    """As a stack of an environment would be told. SettingsError by field."""
    try:
        return Stack(**given)
    except ValidationError as error:
        raise from_validation(f"instance {order.name}", error, Stack) from error


def ready_s(order: Order) -> float:
    """How long it may take until all of it is well."""
    return _patience_s(product_named(order.product))


def _patience_s(product: Product) -> float:
    return product.hosting.ready_s * PATIENCE
