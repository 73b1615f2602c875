"""What publishing takes from the lock that is there, and what it asks of docker and the registry for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.images import publish
from provisioning.images.build import source_hash
from provisioning.images.lock import Lock, Locked, LockError, load_lock, write_lock
from provisioning.images.publish import Request, publish_images
from provisioning.images.registry import RegistryError

OLD, NEW = f"sha256:{'01' * 32}", f"sha256:{'02' * 32}"
BASE, HOST = "debian:bookworm-slim", "registry.test:5000"


@dataclass
class Registry:
    """Holds digests by repository and tag; counts what it was asked."""

    host: str = HOST
    held: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    def digest(self, repository: str, tag: str) -> str | None:
        self.asked.append((repository, tag))
        if self.down:
            raise RegistryError(f"{self.host}: the registry does not answer (ConnectionError)")
        return self.held.get((repository, tag))


@dataclass
class World:
    """A folder of images, a registry, and a docker that notes what it built."""

    room: Path
    registry: Registry = field(default_factory=Registry)
    built: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    logins: int = 0

    @property
    def lock(self) -> Path:
        return self.room / "lock.yaml"

    def __enter__(self) -> World:
        self.logins += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Logged out."""

    def build(self, key: str, folder: Path, *, base: str, tag: str) -> None:
        self.built.append(key)

    def push(self, key: str, tag: str, there: str) -> str:
        self.pushed.append(there)
        self.registry.held[there.removeprefix(f"{HOST}/").partition(":")[0], NEW] = NEW
        return NEW

    def current(self, key: str) -> Locked:
        """As the lock has an image that needs nothing."""
        self.registry.held[f"team/{key}", OLD] = OLD
        return Locked(repository=f"team/{key}", digest=OLD, source=source_hash(self.room / "images" / key, BASE))

    def publish(self, **external: str) -> Lock:
        stand_in: Any = self.registry
        return publish_images(
            Request(
                folder=self.room / "images",
                registry=stand_in,
                lock=self.lock,
                base=BASE,
                prefix="team",
                external=external,
                tell=self.told.append,
            )
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    for key in ("api", "web"):
        (tmp_path / "images" / key).mkdir(parents=True)
        (tmp_path / "images" / key / "Dockerfile").write_text(f"FROM scratch\n# {key}\n")
    monkeypatch.setattr(publish, "logged_in", lambda registry: made)
    return made


def test_where_all_is_current_nobody_logs_in_and_the_file_is_not_touched(world: World) -> None:
    write_lock(world.lock, Lock(registry=HOST, images={key: world.current(key) for key in ("api", "web")}))
    before = (world.lock.stat().st_mtime_ns, world.lock.stat().st_ino, world.lock.read_bytes())
    world.publish()
    assert (world.lock.stat().st_mtime_ns, world.lock.stat().st_ino, world.lock.read_bytes()) == before
    assert world.logins == 0 and not world.built and not world.told


def test_what_is_current_keeps_its_digest_beside_what_is_built(world: World) -> None:
    write_lock(world.lock, Lock(registry=HOST, images={"api": world.current("api")}))
    found = world.publish().images
    assert (found["api"].digest, found["web"].digest, world.built) == (OLD, NEW, ["web"])


def test_an_image_is_pushed_under_the_sites_prefix_and_its_source(world: World) -> None:
    world.publish()
    source = source_hash(world.room / "images" / "web", BASE)
    assert sorted(world.pushed)[1] == f"{HOST}/team/web:{source[:12]}"
    assert load_lock(world.lock).images["web"] == Locked(repository="team/web", digest=NEW, source=source)
    assert {"web: building", "web: pushing"} <= set(world.told)


@pytest.mark.parametrize("text", ["registry: other.test\nimages: {}\n", "registry: [", "not: a lock\n"])
def test_a_lock_that_says_nothing_of_this_registry_is_written_anew(world: World, text: str) -> None:
    world.lock.write_text(text)
    assert world.publish().registry == HOST
    assert sorted(world.built) == ["api", "web"] and load_lock(world.lock).registry == HOST


def test_digests_of_another_registry_are_not_taken_for_ours(world: World) -> None:
    write_lock(world.lock, Lock(registry="other.test", images={key: world.current(key) for key in ("api", "web")}))
    world.publish()
    assert sorted(world.built) == ["api", "web"]


def test_an_image_of_others_is_asked_for_again_every_time(world: World) -> None:
    world.registry.held["their/app", "1"] = OLD
    world.publish(app="their/app:1")
    world.registry.held["their/app", "1"] = NEW
    assert world.publish(app="their/app:1").images["app"] == Locked(repository="their/app", digest=NEW, tag="1")


def test_an_image_of_others_that_is_not_named_any_more_leaves_the_lock(world: World) -> None:
    world.registry.held["their/app", "1"] = OLD
    world.publish(app="their/app:1")
    assert sorted(world.publish().images) == ["api", "web"]


def test_a_folder_without_images_gives_a_lock_of_others_alone(world: World) -> None:
    for key in ("api", "web"):
        (world.room / "images" / key / "Dockerfile").unlink()
    world.registry.held["their/app", "1"] = OLD
    assert list(world.publish(app="their/app:1").images) == ["app"] and world.logins == 0


def test_a_registry_that_is_away_ends_it_before_anything_is_built(world: World) -> None:
    write_lock(world.lock, Lock(registry=HOST, images={"api": world.current("api")}))
    before, world.registry.down = world.lock.read_bytes(), True
    with pytest.raises(ProvisioningError, match="does not answer"):
        world.publish()
    with pytest.raises(ProvisioningError, match=r"images.external.app: .*does not answer"):
        world.publish(app="their/app:1")
    assert not world.built and world.lock.read_bytes() == before


def test_a_key_of_others_is_not_built_from_a_folder_of_its_name(world: World) -> None:
    world.registry.held["their/web", "1"] = OLD
    with pytest.raises(LockError, match=r"images.external.web: is a folder of images/ as well"):
        world.publish(web="their/web:1")
    assert not world.built
