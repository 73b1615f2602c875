"""The router of a host that gives its instances names, with nothing left to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from provisioning.errors import ProvisioningError
from provisioning.tls import refuse_certificate
from settings.errors import SettingsError
from settings.hosting import InstanceRoom, Routes
from settings.image_lock import image_lookup
from settings.site import Site

IMAGE = "router"
"""Key of its image."""


@dataclass(frozen=True, kw_only=True)
class RouterPlan:
    """`image` is a reference by digest; `certificate` PEM text, None: an authority of ours signs one."""

    image: str
    domain: str
    port: int
    http_port: int
    """0: none."""
    certificate: str | None
    labels: Mapping[str, str]


def router_plans(site: Site, stack: str, hosting: Mapping[str, InstanceRoom]) -> dict[str, RouterPlan]:
    """By host. Raises SettingsError with every problem found."""
    problems: list[str] = []
    plans = {
        host: plan
        for host, room in hosting.items()
        if room.routes
        for plan in _plan(site, stack, host, room.routes, problems)
    }
    if problems:
        raise SettingsError(f"Pulumi.{stack}.yaml", problems)
    return plans


def _plan(site: Site, stack: str, host: str, routes: Routes, problems: list[str]) -> Iterator[RouterPlan]:
    where = f"hosting.{host}.routes"
    try:
        image, certificate = image_lookup(site)(IMAGE), _certificate(site, where, routes)
    except (ValueError, ProvisioningError) as error:
        problems.append(f"{where}: {error}")
        return
    except SettingsError as error:
        problems += error.problems
        return
    labels = {"env": stack, "stack": "router", "tenant": site.id, "instance": host, "product": "router"}
    yield RouterPlan(
        image=image,
        domain=routes.domain,
        port=routes.port,
        http_port=0 if routes.http_port == "none" else routes.http_port,
        certificate=certificate,
        labels={f"hypercompose.{key}": value for key, value in labels.items()},
    )


def _certificate(site: Site, where: str, routes: Routes) -> str | None:
    if routes.certificate is None:
        return None
    text = site.text_of(f"{where}.certificate", routes.certificate)
    refuse_certificate(text, routes.domain)
    return text
