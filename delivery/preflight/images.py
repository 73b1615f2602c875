"""The registry: does it answer and let us in, and does it hold every image that the stack needs, by digest?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from delivery.preflight.check import LOOK_THERE, About, Check, Ladder, told
from delivery.preflight.clocks import clock
from delivery.preflight.names import address_of
from delivery.preflight.scope import Scope, Secret, in_checkout
from provisioning.at_once import at_once
from provisioning.compose.text import load_compose
from provisioning.images.registry import Registry, RegistryError, RegistryRefused, RegistryUntrusted
from settings import Site
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
    if unusable := scope.unusable("vms", "hosts", "stacks", "portainers", "routers"):
        yield About(name="image").unknown(unusable)
    checks, registry, because = _knock(scope, site)
    yield from checks
    jobs = [partial(_one, scope, site, registry, because, image, users) for image, users in images.items()]
    for image, answer in zip(images, at_once(jobs, DEADLINE_S), strict=True):
        about = About(name="image", subject=_shown(site, image))
        yield about.unknown(str(answer)) if isinstance(answer, Exception) else answer


def needed_images(scope: Scope) -> Mapping[str, list[str]]:
    """Reference -> who wants it."""
    found: dict[str, list[str]] = {}
    for host in scope.program.hosts:
        if host.docker and host.docker.registry and host.docker.registry.proof_image:
            found.setdefault(host.docker.registry.proof_image, []).append(f"proof on {host.name}")
    for name, plan in scope.program.portainers.items():
        found.setdefault(plan.image, []).append(f"Portainer on {name}")
    for name, router in scope.program.routers.items():
        found.setdefault(router.image, []).append(f"router on {name}")
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
    who = site.user or "nobody"
    ladder = Ladder(
        About(name="registry", subject=site.host, field=scope.of_site("registry.url")),
        About(name="registry", subject="its certificate", field=scope.of_site("registry.ca")),
        About(name="registry", subject=f"login of {who}", field=scope.of_site("registry.user")),
        About(name="clock", subject="registry"),
    )
    ca, secret = in_checkout(site.ca), scope.secret(PASSWORD_KEY, REGISTRY_VARIABLE)
    if ca and not Path(ca).is_file():
        because = f"{ca}, which registry.ca names, does not exist"
        ladder.unknown(because, "put the CA's certificate there, or correct registry.ca")
        return ladder.checks, None, because
    registry = _registry(scope, site, ca, secret)
    because = _climb(ladder, registry, secret if site.user else Secret(""))
    return ladder.checks, None if because else registry, because


def _registry(scope: Scope, site: SiteRegistry, ca: str | None, secret: Secret) -> Registry:
    return Registry(
        host=site.host,
        ca=ca,
        user=site.user or "" if secret.value else "",
        password=secret.value or "",
        address=address_of(scope, urlsplit(site.url).hostname or site.host),
        timeout_s=TIMEOUT_S,
    )


def _climb(ladder: Ladder, registry: Registry, secret: Secret) -> str:
    """Empty when we are in; else why images cannot be asked for."""
    try:
        ahead_s = registry.knock()
    except RegistryUntrusted as error:
        because = "the registry's certificate is not trusted"
        ladder.passed("answers")
        ladder.failed(*told(error), because)
        return because
    except RegistryRefused as error:
        ladder.passed("answers", "trusted")
        if secret.value is None:
            ladder.unknown(secret.why_not, secret.remedy)
            return secret.why_not
        because = f"the registry refuses {registry.user or 'nobody'}"
        ladder.failed(*told(error), because)
        return because
    except RegistryError as error:
        because = f"{registry.host} does not answer as a registry does"
        ladder.failed(str(error), LOOK_THERE, because)
        return because
    ladder.passed("answers", "trusted", "accepted")
    ladder.ended(lambda rung: clock(rung, ahead_s))
    return ""


def _one(
    scope: Scope, site: SiteRegistry, registry: Registry | None, because: str, image: str, users: list[str]
) -> Check:
    subject, lock = _shown(site, image), scope.site.images
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


def _shown(site: SiteRegistry, image: str) -> str:
    """Without the registry, with the first figures of the digest: the rest is in the lock."""
    name, separator, digest = image.removeprefix(f"{site.host}/").partition("@")
    return f"{name}{separator}{digest[:19]}" if separator else name
