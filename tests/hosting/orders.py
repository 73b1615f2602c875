"""Orders that tests are about."""

from __future__ import annotations

from typing import Any

from hosting.order import Order


def order(product: str = "nginx", **other: Any) -> Order:
    """Of the lab's environment `dev`."""
    usual: dict[str, Any] = {
        "nginx": {"product": "nginx", "version": "1.22", "ports": {"web": 20000}},
        "odoo": {"product": "odoo", "version": "14", "ports": {"web": 20000, "websocket": 20001}},
    }.get(product, {"product": product, "version": "1", "ports": {"web": 20000}})
    content = {"site": "lab", "environment": "dev", "host": "srv", "name": "shop", "size": "small", "tenant": "lab"}
    return Order(**{**content, **usual, **other})
