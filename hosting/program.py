"""The Pulumi program of one instance: reads what its environment tells, declares the instance on one of its hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.host_steps import HostConnection
from components.native import NativeProvider
from components.portainer_server import Target
from components.product_instance import KINDS, Named, ProductInstance, ProductInstanceArgs
from hosting.order import Order
from hosting.plan import instance_plan
from hosting.products import product_named
from settings import Site

Told = pulumi.Output[Mapping[str, Any]]


def declare(order: Order, site: Site) -> None:
    """The whole stack of an instance."""
    environment = pulumi.StackReference("environment", order.reference)
    host, offer = (_of(environment, name, order.host) for name in ("hosts", "hosting"))
    key = pulumi.Output.secret(_of(environment, "hosting_keys", order.host))
    native = _native(site)
    plan = instance_plan(order, site)
    arguments = ProductInstanceArgs(
        connection=_connection(order.host, host),
        native=native,
        target=_target(offer, key),
        plan=plan,
        environment=order.environment,
        owner=order.owner,
        named=name_of(order, offer.apply(lambda told: told.get("route_port") or 443)),
    )
    instance = KINDS.get(order.product, ProductInstance)(order.compose_project, arguments)
    pulumi.export("urls", instance.urls)
    pulumi.export("images", instance.images)
    pulumi.export("secrets", instance.secrets)
    pulumi.export("host", order.host)
    pulumi.export("address", offer["address"])


def name_of(order: Order, tls_port: pulumi.Input[int]) -> Named | None:
    """The name that leads to it, and where its paths lead; None: it has none."""
    offer = product_named(order.product).hosting
    if order.route is None or offer.route is None:
        return None
    return Named(host=order.route, key=offer.route, paths=offer.paths, tls_port=tls_port)


def _of(environment: pulumi.StackReference, name: str, host: str) -> Any:
    """An output of the environment, as it tells of the host."""

    def found(told: Mapping[str, Any] | None) -> Any:
        if not told or host not in told:
            raise pulumi.RunError(
                f"host: {host!r}, expected one that takes instances, as the outputs of its environment tell; "
                "name it in `hypercompose:hosting` there, and bring that up"
            )
        return told[host]

    return environment.get_output(name).apply(found)


def _connection(name: str, host: Any) -> HostConnection:
    return HostConnection(
        name=name,
        host=host["address"],
        port=host["port"].apply(int),
        user=host["user"],
        host_key=host["host_key"],
    )


def _target(offer: Any, key: pulumi.Output[str]) -> Target:
    session = {
        "url": offer["portainer"],
        "certificate": offer["certificate"],
        "apiKey": key,
        "data": offer["data"],
    }
    return Target(session=session, environment_id=offer["environment_id"].apply(int), done=())


def _native(site: Site) -> NativeProvider:
    proxmox = site.proxmox
    return NativeProvider("site-native", {"endpoint": proxmox.endpoint, "ca": str(proxmox.ca) if proxmox.ca else None})
