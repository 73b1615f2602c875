"""The registry: does it answer and let us in, and does it hold every image that the stack needs, by digest?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import yaml

from delivery.preflight.check import About, Check
from delivery.preflight.clocks import clock
from delivery.preflight.names import address_of
from delivery.preflight.scope import Scope, in_checkout
from provisioning.at_once import at_once
from provisioning.images.registry import Registry, RegistryError, RegistryRefused, RegistryUntrusted
from settings import Site
from settings.project import load_compose
from settings.secrets import REGISTRY_VARIABLE
from settings.site import Registry as SiteRegistry
from settings.stack_plan import StackPlan

TIMEOUT_S = (2.5, 3.5)
DEADLINE_S = 5.0
PASSWORD_KEY = "hypercompose:registry_password"  # noqa: S105  its name


def check_images(scope: Scope) -> Iterator[Check]:
    """Lines for the registry, one for each image."""
    images, site = needed_images(scope), scope.site.registry
    if site is None or not (images or scope.uses_docker()):
        return
    if unusable := scope.unusable("vms", "hosts", "stacks", "portainers"):
        yield About(name="image").unknown(unusable)
    checks, registry, because = _knock(scope, site)
    yield from checks
    jobs = [partial(_one, scope, site, registry, because, image, users) for image, users in images.items()]
    for image, answer in zip(images, at_once(jobs, DEADLINE_S), strict=True):
        yield About(name="image", subject=image).unknown(str(answer)) if isinstance(answer, Exception) else answer


def needed_images(scope: Scope) -> Mapping[str, list[str]]:
    """Reference -> who wants it."""
    found: dict[str, list[str]] = {}
    for host in scope.program.hosts:
        if host.docker and host.docker.registry and host.docker.registry.proof_image:
            found.setdefault(host.docker.registry.proof_image, []).append(f"proof on {host.name}")
    for name, plan in scope.program.portainers.items():
        found.setdefault(plan.image, []).append(f"Portainer on {name}")
    for stack in scope.program.stacks:
        for image in _images_of(stack):
            found.setdefault(image, []).append(f"stack {stack.name}")
    return found


def _images_of(stack: StackPlan) -> Iterator[str]:
    """Of the compose file that we render; somebody else's repository is not opened."""
    text = (stack.files or {}).get(stack.path) or stack.inline
    try:
        services = (load_compose(text) if text else {}).get("services") or {}
    except (yaml.YAMLError, AttributeError):
        return
    yield from dict.fromkeys(str(service["image"]) for service in services.values() if service.get("image"))


def _knock(scope: Scope, site: SiteRegistry) -> tuple[list[Check], Registry | None, str]:
    """What can be said of the registry; how to ask it, or why not."""
    reach = About(name="registry", subject=site.host, field=scope.of_site("registry.url"))
    tls = About(name="registry", subject="its certificate", field=scope.of_site("registry.ca"))
    login = About(name="registry", subject=f"login of {site.user or 'nobody'}", field=scope.of_site("registry.user"))
    ca, password = in_checkout(site.ca), scope.secret(PASSWORD_KEY, REGISTRY_VARIABLE)
    if ca and not Path(ca).is_file():
        return [tls.failed(f"{ca} does not exist", "put it there, or correct registry.ca")], None, "its CA is missing"
    registry = Registry(
        host=site.host,
        ca=ca,
        user=site.user or "" if password.value else "",
        password=password.value or "",
        address=address_of(scope, site.host.rpartition(":")[0] or site.host),
        timeout_s=TIMEOUT_S,
    )
    try:
        ahead_s = registry.knock()
    except RegistryUntrusted as error:
        because = "its certificate is not trusted"
        return [reach.passed("answers"), tls.refused(error), login.unknown(because)], None, because
    except RegistryRefused as error:
        found = [reach.passed("answers"), tls.passed("trusted")]
        if site.user and password.value is None:
            return [*found, login.unknown(password.why_not, password.remedy)], None, password.why_not
        return [*found, login.refused(error)], None, f"the registry refuses {site.user or 'nobody'}"
    except RegistryError as error:
        because = f"{site.host} does not answer as a registry does"
        remedy = "is its address right, does it run, is its network reachable from here?"
        return [reach.failed(str(error), remedy), tls.unknown(because), login.unknown(because)], None, because
    found = [reach.passed("answers"), tls.passed("trusted"), login.passed("accepted")]
    return [*found, clock(About(name="clock", subject="registry"), ahead_s)], registry, ""


def _one(
    scope: Scope, site: SiteRegistry, registry: Registry | None, because: str, image: str, users: list[str]
) -> Check:
    subject, lock = _shown(image), scope.site.images
    about = About(name="image", subject=subject, field=_field(scope.site) if lock and "@" in image else "")
    for_whom = f"for {', '.join(users)}"
    host, _, name = image.partition("/")
    if host != site.host:
        return about.unknown(f"it is not of the site's registry ({for_whom}); the host pulls it from elsewhere")
    if registry is None:
        return about.unknown(because)
    repository, separator, reference = name.partition("@") if "@" in name else name.rpartition(":")
    try:
        found = registry.digest(repository, reference) if separator else None
    except RegistryError as error:
        return about.unknown(str(error))
    if found is None:
        remedy = "`make images` builds, pushes and locks it" if "@" in image else "push it there, or name another"
        return about.failed(f"the registry does not hold it ({for_whom})", remedy)
    return about.passed(for_whom)


def _field(site: Site) -> str:
    return f"sites/{site.id}.yaml: images.lock"


def _shown(image: str) -> str:
    """With the first figures of its digest: the rest is in the lock."""
    name, separator, digest = image.partition("@")
    return f"{name}{separator}{digest[:19]}" if separator else name
