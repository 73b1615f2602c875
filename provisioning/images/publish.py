"""The images of a site brought to what images/ holds: built where stale, pushed, locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.images.build import Docker, keys_in, logged_in, source_hash
from provisioning.images.lock import Lock, Locked, LockError, load_lock, write_lock
from provisioning.images.registry import Registry, RegistryError

AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be locked. `external`: key -> repository:tag of others' images."""

    folder: Path
    registry: Registry
    lock: Path
    base: str
    prefix: str
    bases: Mapping[str, str] = field(default_factory=dict)
    """What single images start from instead of `base`."""
    external: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda text: None

    def base_of(self, key: str) -> str:
        """What an image starts from."""
        return self.bases.get(key, self.base)


def publish_images(request: Request) -> Lock:
    """Build and push what is stale, and write the lock; where nothing is, neither docker nor the lock is touched."""
    keys = keys_in(request.folder)
    if twice := sorted(set(request.external) & set(keys)):
        raise LockError(f"images.external.{twice[0]}: is a folder of images/ as well; give one of them another key")
    if unknown := sorted(set(request.bases) - set(keys)):
        raise LockError(f"images.bases.{unknown[0]}: is no folder of images/, expected one of {', '.join(keys)}")
    before = _before(request)
    external = {key: _external(request, key, name) for key, name in sorted(request.external.items())}
    sources = {key: source_hash(request.folder / key, request.base_of(key)) for key in keys}
    kept = {key: found for key, found in before.images.items() if _is_current(request, found, sources.get(key))}
    stale = [key for key in sources if key not in kept]
    built: dict[str, Locked] = {}
    if stale:
        with logged_in(request.registry) as docker, ThreadPoolExecutor(AT_ONCE) as pool:
            made = pool.map(lambda key: _made(request, docker, key, sources[key]), stale)
            built = dict(zip(stale, made, strict=True))
    images = {**{key: kept[key] for key in sources if key in kept}, **built, **external}
    lock = Lock(registry=request.registry.host, images=images, path=str(request.lock))
    write_lock(request.lock, lock)
    return lock


def _before(request: Request) -> Lock:
    """The lock as it is; one of another registry, or none, holds nothing for this one."""
    try:
        found = load_lock(request.lock)
    except LockError:
        return Lock(registry=request.registry.host)
    return found if found.registry == request.registry.host else Lock(registry=request.registry.host)


def _is_current(request: Request, found: Locked, source: str | None) -> bool:
    if source is None or found.source != source:
        return False
    return request.registry.digest(found.repository, found.digest) is not None


def _made(request: Request, docker: Docker, key: str, source: str) -> Locked:
    request.tell(f"{key}: building")
    tag, repository = f"hypercompose/image-{key}:{source}", f"{request.prefix}/{key}"
    docker.build(key, request.folder / key, base=request.base_of(key), tag=tag)
    request.tell(f"{key}: pushing")
    digest = docker.push(key, tag, f"{request.registry.host}/{repository}:{source[:12]}")
    return Locked(repository=repository, digest=digest, source=source)


def _external(request: Request, key: str, name: str) -> Locked:
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        raise LockError(f"images.external.{key}: {name!r}, expected repository:tag")
    try:
        digest = request.registry.digest(repository, tag)
    except RegistryError as error:
        raise ProvisioningError(f"images.external.{key}: {error}") from error
    if digest is None:
        raise RegistryError(
            f"images.external.{key}: {request.registry.host} has no {repository}:{tag}; push it there, or name another"
        )
    return Locked(repository=repository, digest=digest, tag=tag)
