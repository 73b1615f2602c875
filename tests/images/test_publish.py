"""Building, pushing and locking with a docker program that only writes down what it was told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.images.build import keys_in, source_hash
from provisioning.images.lock import load_lock
from provisioning.images.publish import Request, publish_images
from provisioning.images.registry import Registry
from tests.images.registry_server import PASSWORD, USER, RegistryServer, serving

DIGEST = f"sha256:{'d1' * 32}"
FAKE = f"""#!{sys.executable}
import json, os, pathlib, sys
room = pathlib.Path(__file__).parent
config = pathlib.Path(os.environ["DOCKER_CONFIG"])
line = {{"argv": sys.argv[1:], "mode": oct(config.stat().st_mode & 0o777), "config": str(config)}}
line["stdin"] = sys.stdin.read() if sys.argv[1] == "login" else ""
line["environment"] = [value for value in os.environ.values() if "Canary" in value]
with (room / "calls").open("a") as calls:
    calls.write(json.dumps(line) + "\\n")
if (room / "fail").exists() and sys.argv[1] == (room / "fail").read_text():
    sys.exit("step 3: something broke")
if sys.argv[1] == "push":
    print("1.0: digest: {DIGEST} size: 528")
"""


@dataclass
class Site:
    """Two images, a registry, and a docker program of ours."""

    room: Path
    server: RegistryServer
    external: dict[str, str] = field(default_factory=dict)
    base: str = "debian:bookworm-slim"
    bases: dict[str, str] = field(default_factory=dict)

    @property
    def lock(self) -> Path:
        return self.room / "lock.yaml"

    def publish(self) -> Any:
        registry = Registry(host=self.server.host, ca=self.server.ca, user=USER, password=PASSWORD)
        request = Request(
            folder=self.room / "images",
            registry=registry,
            lock=self.lock,
            base=self.base,
            prefix="team",
            bases=self.bases,
            external=self.external,
        )
        return publish_images(request)

    def calls(self) -> list[dict[str, Any]]:
        """What docker was told since the last look."""
        file = self.room / "calls"
        found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        file.unlink(missing_ok=True)
        return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for key in ("api", "web"):
        (tmp_path / "images" / key).mkdir(parents=True)
        (tmp_path / "images" / key / "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\n# {key}\n")
    (tmp_path / "docker").write_text(FAKE)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "tls").mkdir()
    with serving(tmp_path / "tls") as server:
        server.login = "basic"
        server.manifests = {f"team/{key}:{DIGEST}": DIGEST for key in ("api", "web")} | {"other/app:1.2": DIGEST}
        yield Site(tmp_path, server)


def test_all_images_are_built_from_the_base_pushed_and_locked(site: Site) -> None:
    site.external = {"other": "other/app:1.2"}
    lock = site.publish()
    assert sorted(lock.images) == ["api", "other", "web"] and load_lock(site.lock).images == lock.images
    assert lock.reference("web") == f"{site.server.host}/team/web@{DIGEST}"
    assert (lock.images["other"].tag, lock.images["other"].source) == ("1.2", "")
    builds = [call["argv"] for call in site.calls() if call["argv"][0] == "build"]
    assert {argv[-1] for argv in builds} == {str(site.room / "images" / key) for key in ("api", "web")}
    assert all("BASE=debian:bookworm-slim" in argv for argv in builds)


def test_the_password_goes_to_standard_input_and_nowhere_else(site: Site) -> None:
    site.publish()
    calls = site.calls()
    logins = [call for call in calls if call["argv"][0] == "login"]
    assert [call["stdin"] for call in logins] == [PASSWORD] and "--password-stdin" in logins[0]["argv"]
    assert "Canary" not in json.dumps([call["argv"] for call in calls]) + site.lock.read_text()
    assert not any(call["environment"] for call in calls)
    assert {call["mode"] for call in calls} == {"0o700"}
    assert not any(Path(call["config"]).exists() for call in calls)


def test_where_nothing_changed_docker_is_not_called_and_the_lock_stays_byte_for_byte(site: Site) -> None:
    site.publish()
    site.calls()
    before = site.lock.read_bytes()
    site.publish()
    assert not site.calls() and site.lock.read_bytes() == before


def test_only_what_changed_is_built_again(site: Site) -> None:
    site.publish()
    site.calls()
    (site.room / "images" / "web" / "page.html").write_text("new")
    site.publish()
    assert {call["argv"][-1] for call in site.calls() if call["argv"][0] == "build"} == {str(site.room / "images/web")}


def test_an_image_that_the_registry_lost_and_a_new_base_are_built_again(site: Site) -> None:
    site.publish()
    site.calls()
    del site.server.manifests[f"team/api:{DIGEST}"]
    site.publish()
    assert [call["argv"][-1] for call in site.calls() if call["argv"][0] == "build"] == [str(site.room / "images/api")]
    site.server.manifests[f"team/api:{DIGEST}"] = DIGEST
    site.base = "debian:other"
    site.publish()
    assert len([call for call in site.calls() if call["argv"][0] == "build"]) == 2


def test_an_image_with_a_base_of_its_own_is_built_on_that_and_alone_when_it_changes(site: Site) -> None:
    site.bases = {"api": "debian:bullseye-slim"}
    site.publish()
    built = [call["argv"] for call in site.calls() if call["argv"][0] == "build"]
    found = {argv[-1].rpartition("/")[2]: [word for word in argv if word.startswith("BASE=")] for argv in built}
    assert found == {"api": ["BASE=debian:bullseye-slim"], "web": ["BASE=debian:bookworm-slim"]}
    site.bases = {"api": "debian:other"}
    site.publish()
    assert [call["argv"][-1] for call in site.calls() if call["argv"][0] == "build"] == [str(site.room / "images/api")]


def test_a_base_for_an_image_that_is_not_there_is_refused(site: Site) -> None:
    site.bases = {"apo": "debian:x"}
    with pytest.raises(ProvisioningError, match=r"images.bases.apo: is no folder of images/, expected one of api, web"):
        site.publish()
    assert not site.calls()


def test_an_image_that_is_gone_leaves_the_lock(site: Site) -> None:
    site.publish()
    (site.room / "images" / "web" / "Dockerfile").unlink()
    assert list(site.publish().images) == ["api"]


@pytest.mark.parametrize("step", ["build", "push", "login"])
def test_a_failure_names_key_and_step_and_leaves_the_lock_as_it_was(site: Site, step: str) -> None:
    site.publish()
    before = site.lock.read_bytes()
    (site.room / "images" / "web" / "page.html").write_text("new")
    (site.room / "fail").write_text(step)
    key = "login" if step == "login" else "web"
    with pytest.raises(
        ProvisioningError, match=f"images: {key}: docker {step} failed: step 3: something broke"
    ) as raised:
        site.publish()
    assert "Canary" not in str(raised.value) and site.lock.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other/app:9", "has no other/app:9"),
        ("other/app", "expected repository:tag"),
        ("host:5000/app", "expected rep"),
    ],
)
def test_an_image_of_others_that_is_not_there_is_named(site: Site, name: str, message: str) -> None:
    site.external = {"other": name}
    with pytest.raises(ProvisioningError, match=message) as raised:
        site.publish()
    assert "images.external.other" in str(raised.value) and not site.calls()


def test_the_hash_of_a_source_knows_names_contents_programs_and_base(tmp_path: Path) -> None:
    for name, text in (("Dockerfile", "FROM x"), ("b", "b"), ("a", "a")):
        (tmp_path / name).write_text(text)
    seen = [source_hash(tmp_path, "base")]
    assert source_hash(tmp_path, "base") == seen[0] != source_hash(tmp_path, "other")
    for change in (
        lambda: (tmp_path / "a").write_text("A"),
        lambda: (tmp_path / "a").chmod(0o755),
        lambda: (tmp_path / "a").rename(tmp_path / "c"),
        lambda: (tmp_path / "b").unlink(),
    ):
        change()
        seen.append(source_hash(tmp_path, "base"))
    assert len(set(seen)) == len(seen)


def test_an_image_is_a_folder_with_a_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").touch()
    (tmp_path / "notes").mkdir()
    assert keys_in(tmp_path) == ["web"]
