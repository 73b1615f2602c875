"""What outlives a restart, a backup and the loss of an environment; swarm calls to an engine that is in no swarm."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.portainer.conftest import PASSWORD, QUICK_LOOP, QUICK_POLL, RECORDED_GIT, RECORDED_IMAGE, Start, new_prefix
from tests.portainer.recordings import covers, recorded
from tests.portainer.replay import Replay, wait_for
from tests.portainer.repositories import Repositories
from tests.portainer.servers import Server, answers

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended

Register = Callable[[Replay], Replay]
BACKUP, RESTORE, OTHER, ORPHANS = (
    "11-backup-restore-restart",
    "11b-restore",
    "12-swarm-and-other",
    "14-orphans-ratelimit",
)
COMPOSE_FILE = recorded(BACKUP)[4].body["StackFileContent"]


@dataclass
class Kept:
    """A server, what was done to it, and its backup."""

    server: Server
    run: Replay
    backup: bytes = b""


@pytest.fixture(scope="module")
def kept(
    start: Start, password_file: object, engine_url: str, image: str, repositories: Repositories
) -> Iterator[Kept]:
    server = start("--admin-password-file", str(password_file), "-H", engine_url, DOCKER_HOST=engine_url)
    run = Replay(server.url, new_prefix())
    run.replacements += [(RECORDED_IMAGE, image), QUICK_LOOP, ("unix:///var/run/docker.sock", engine_url)]
    run.replacements += [(RECORDED_GIT, repositories.url), QUICK_POLL, ("filepassword", PASSWORD)]
    content = run.here(recorded(RESTORE)[13].answer["StackFileContent"].replace('"', '\\"')).replace('\\"', '"')
    extra = "services:\n  side:\n    image: labbusy:1\n"
    repositories.commit({"docker-compose.yml": content, "extra.yml": extra})
    yield Kept(server, run)
    run.make_key()
    for stack in run.ask("GET", "/api/stacks").json():
        endpoint = max(item["Id"] for item in run.ask("GET", "/api/endpoints").json())
        run.ask("DELETE", f"/api/stacks/{stack['Id']}?endpointId={endpoint}")


@covers("11-backup-restore-restart", *range(0, 8), 11)
def test_a_backup_holds_everything(kept: Kept, replay: Register) -> None:
    run = replay(kept.run)
    run.play(BACKUP, 0)
    run.key = run.play(BACKUP, 1)["rawAPIKey"]
    run.play(BACKUP, *range(2, 8))
    headers = {"Authorization": f"Bearer {run.jwt}"}
    plain = requests.post(f"{run.url}/api/backup", json={}, headers=headers, timeout=10)
    assert plain.headers["Content-Type"] == "application/gzip"
    assert ".tar.gz" in plain.headers["Content-Disposition"]
    with tarfile.open(fileobj=io.BytesIO(plain.content)) as archive:
        members = archive.getnames()
    assert {"/certs/cert.pem", "/compose/1/docker-compose.yml", "/compose/2/extra.yml"} <= set(members)
    closed = requests.post(f"{run.url}/api/backup", json={"password": "bk"}, headers=headers, timeout=10)
    assert closed.headers["Content-Type"] == "application/octet-stream"
    assert closed.content[:10] == bytes.fromhex("4145533235362d47434d")
    assert PASSWORD.encode() not in closed.content
    kept.backup = closed.content
    run.play(BACKUP, 11, files={"file": ("b.tar.gz", plain.content)})


@covers("11-backup-restore-restart", *range(13, 19))
def test_keys_outlive_a_restart_and_tokens_do_not(kept: Kept, replay: Register) -> None:
    assert kept.server.stop() < 5
    assert kept.server.start() < 3
    replay(kept.run).play(BACKUP, *range(13, 19))


@covers("11b-restore", *range(0, 5), *range(6, 14))
def test_a_new_server_becomes_the_old_one(kept: Kept, replay: Register, start: Start, engine_url: str) -> None:
    kept.server.stop()
    try:
        server = start(DOCKER_HOST=engine_url)
        new = Replay(server.url, kept.run.prefix, kept.run.replacements, kept.run.numbers, key=kept.run.key)
        file = {"file": ("b.tar.gz.encrypted", kept.backup)}
        replay(new).play(RESTORE, 0, 1, files=file)
        new.play(RESTORE, 2)
        new.play(RESTORE, 3, files=file)
        wait_for(lambda: answers(server.url, "/api/users/admin/check"))  # it starts anew with what was restored
        new.play(RESTORE, 4, *range(6, 14))
        server.stop()
    finally:
        kept.server.start()


@covers("12-swarm-and-other", 0, *range(2, 15))
def test_no_swarm_the_old_way_to_create_files_and_other_names(kept: Kept, replay: Register) -> None:
    run = replay(kept.run)
    run.play(OTHER, 0)
    run.play(OTHER, 2, any_body=True)
    run.play(OTHER, *range(3, 10))
    file = COMPOSE_FILE.replace(RECORDED_IMAGE, dict(run.replacements)[RECORDED_IMAGE]).replace(*QUICK_LOOP)
    run.play(OTHER, 10, files={"file": ("docker-compose.yml", file)})
    run.play(OTHER, 11)
    run.play(OTHER, 12, body={"EndpointID": 1, "Name": "up2"})
    assert set(run.containers("up2", 1)) == {"web"}
    assert not run.containers("up1", 1)
    run.play(OTHER, 13, 14)


@covers("14-orphans-ratelimit", *range(0, 15))
def test_stacks_outlive_their_environment(kept: Kept, replay: Register) -> None:
    run = replay(kept.run)
    run.play(ORPHANS, *range(0, 15))
    endpoint = run.numbers["endpoints", "2"]
    wait_for(lambda: not run.containers("b2", endpoint))
