"""The image lock: read back as written, refused where it is not what it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.images.lock import HEADER, Lock, Locked, LockError, load_lock, write_lock

DIGEST = f"sha256:{'0f' * 32}"
LOCK = Lock(
    registry="registry.test:5000",
    images={
        "web": Locked(repository="team/web", digest=DIGEST, source="abc"),
        "portainer": Locked(repository="portainer/portainer-ce", digest=DIGEST, tag="2.23.0"),
    },
)


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_lock(tmp_path / "new" / "lock.yaml", LOCK)
    found = load_lock(tmp_path / "new" / "lock.yaml")
    assert (found.registry, found.images) == (LOCK.registry, LOCK.images)
    assert (tmp_path / "new" / "lock.yaml").read_text().startswith(HEADER)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["lock.yaml"]


def test_the_same_lock_is_not_written_again(tmp_path: Path) -> None:
    write_lock(tmp_path / "lock.yaml", LOCK)
    before = (tmp_path / "lock.yaml").stat()
    write_lock(tmp_path / "lock.yaml", Lock(registry=LOCK.registry, images=dict(sorted(LOCK.images.items()))))
    after = (tmp_path / "lock.yaml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_reference_names_registry_repository_and_digest() -> None:
    assert LOCK.reference("web") == f"registry.test:5000/team/web@{DIGEST}"


@pytest.mark.parametrize(
    ("key", "hint"), [("portaner", "did you mean 'portainer'"), ("zzz", "known are portainer, web")]
)
def test_an_unknown_key_is_answered_with_the_nearest(key: str, hint: str) -> None:
    with pytest.raises(LockError, match=hint):
        LOCK.reference(key)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "registry: missing"),
        ("- 1", "registry: missing"),
        ("registry: 5", "registry: missing"),
        ("registry: r\nimagse: {}", "imagse: unknown, expected registry and images"),
        ("registry: r\nimages: [web]", "images: expected images by key"),
        ("registry: r\nimages: {web: 1}", "images.web: expected a key"),
        ("registry: r\nimages: {Web: {}}", "images.Web: expected a key"),
        ("registry: r\nimages: {web: {repository: team/web}}", r"images.web.digest: None, expected sha256"),
        (f"registry: r\nimages: {{web: {{repository: T/w, digest: '{DIGEST}'}}}}", "images.web.repository: 'T/w'"),
        ("registry: r\nimages: {web: {repository: t, digest: 'sha256:12'}}", "images.web.digest: 'sha256:12'"),
        (f"registry: r\nimages: {{web: {{repository: t, digest: '{DIGEST}', size: 1}}}}", "images.web.size: unknown"),
        (f"registry: r\nimages: {{web: {{repository: t, digest: '{DIGEST}', tag: 2.10}}}}", "images.web.tag: 2.1"),
        ("registry: [", "cannot be read as YAML"),
    ],
)
def test_what_is_no_lock_is_refused_with_file_place_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "lock.yaml").write_text(text)
    with pytest.raises(LockError, match=message) as raised:
        load_lock(tmp_path / "lock.yaml")
    assert str(raised.value).startswith(f"{tmp_path}/lock.yaml: ") and "make images" in str(raised.value)


def test_a_lock_that_is_not_there_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="is not there; `make images` writes it"):
        load_lock(tmp_path / "lock.yaml")
