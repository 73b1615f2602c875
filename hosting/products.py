"""From what somebody asks for to a demand: the catalogue's names, sizes, ports and typed settings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from hosting.demand import Demand
from hosting.errors import DemandRefused
from hosting.model import Instance
from settings import Site
from settings.portainer import FILE_NAME
from settings.product import Product, load_catalogue

NO_ROUTE = "none"


def product_named(name: str) -> Product:
    """Of the catalogue. DemandRefused with those that are there."""
    catalogue = load_catalogue()
    if name not in catalogue:
        raise DemandRefused(f"PRODUCT={name}: expected one of {', '.join(catalogue)}; compose/ holds the catalogue")
    return catalogue[name]


def demand_of(site: Site, options: argparse.Namespace, lasts: timedelta) -> Demand:
    """What the command line asks for. DemandRefused, SettingsError."""
    product = product_named(options.product)
    version, size = product.version(options.version or None), product.size(options.size or None)
    if version.warning:
        print(f"{options.name}: {version.warning}")
    given = settings_of(options.set)
    product.checked(given)
    tenant = options.tenant or site.id
    if not re.fullmatch(FILE_NAME, tenant):
        raise DemandRefused(
            f"TENANT={tenant}: expected {FILE_NAME}, as its containers are labelled with it; shorten it"
        )
    return Demand(
        name=options.name,
        product=product.name,
        version=options.version or product.hosting.version,
        size=options.size or product.hosting.size,
        tenant=tenant,
        owner=options.owner,
        memory_mib=size.memory_mib,
        networks=product.hosting.networks,
        port_names=tuple(_ports(product)),
        route=route_of(product, options.route, options.name),
        must_route=options.route not in ("", NO_ROUTE),
        settings=given,
        lasts=lasts,
        environment=options.stack,
        host=f"{options.stack}/{options.host}" if options.host else None,
    )


def resized(site: Site, options: argparse.Namespace, instance: Instance) -> dict[str, Any]:
    """What is to change of an instance; what is not said stays. DemandRefused, SettingsError."""
    product = product_named(instance.product)
    settings = {**instance.settings, **settings_of(options.set)}
    product.checked(settings)
    version, size = options.version or instance.version, options.size or instance.size
    product.version(version)
    return {"size": size, "version": version, "memory_mib": product.size(size).memory_mib, "settings": settings}


def route_of(product: Product, asked: str, name: str) -> str | None:
    """The name to ask its host's router for: by default the instance's own. DemandRefused."""
    if product.hosting.route is None and asked not in ("", NO_ROUTE):
        raise DemandRefused(
            f"ROUTE={asked}: {product.name} answers to no name, expected ROUTE={NO_ROUTE}; leave it out"
        )
    return None if asked == NO_ROUTE or product.hosting.route is None else asked or name


def settings_of(given: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` of the command line. DemandRefused."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise DemandRefused(f"--set {each}: expected NAME=VALUE, as in --set ODOO_LANGUAGE=de_DE")
        found[name] = value
    return found


def _ports(product: Product) -> Iterator[str]:
    """Neighbours after each other, the others behind them: an instance's numbers are one row."""
    paired = [name for pair in product.hosting.pairs for name in pair]
    yield from paired
    yield from (name for name in product.declared.ports if name not in paired)
