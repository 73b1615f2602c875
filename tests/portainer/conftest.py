"""Servers, repositories and an image for the recorded calls."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.portainer.replay import Replay
from tests.portainer.repositories import Repositories, served
from tests.portainer.servers import Server, external_password, external_url, is_real, running

PASSWORD = "adminpassword12"
RECORDED_IMAGE, RECORDED_GIT = "labbusy:1", "http://127.0.0.1:9180"
QUICK_STOP = ("exec sleep 100000", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
QUICK_LOOP = ("while :; do sleep 1; done", "while :; do sleep 0.2; done")
QUICK_POLL = ('"5s"', '"1s"')

Start = Callable[..., Server]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts servers, which end with the module. Skips where one elsewhere is tested."""
    if external_url():
        pytest.skip("needs a server that the test can start and stop")
    with ExitStack() as stack:

        def started(*flags: str, **env: str) -> Server:
            if is_real() and any(name.startswith("HYPERCOMPOSE_LAB_") for name in env):
                pytest.skip("waits for minutes that only the stand-in shortens")
            return stack.enter_context(running(tmp_path_factory.mktemp("portainer"), *flags, **env))

        yield started


@pytest.fixture(scope="module")
def password_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For --admin-password-file."""
    file = tmp_path_factory.mktemp("password") / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> Iterator[Callable[[Replay], Replay]]:
    """Registers the replay of a test, and compares in the end what it played with what it says it covers."""
    used: list[Replay] = []
    before: list[set[tuple[str, int]]] = []

    def register(replay: Replay) -> Replay:
        used.append(replay)
        before.append(set(replay.played))
        return replay

    yield register
    report = getattr(request.node, "failed", False)
    claimed: set[tuple[str, int]] = getattr(request.function, "covered", set())
    played = {call for replay, known in zip(used, before, strict=True) for call in replay.played - known}
    if used and not report:
        assert played == claimed, f"only claimed: {claimed - played}; only played: {played - claimed}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note a failed test, for the fixture above."""
    outcome = yield
    if outcome.get_result().failed:  # type: ignore[attr-defined]
        item.failed = True  # type: ignore[attr-defined]


def new_prefix() -> str:
    """For names of this run."""
    return f"pt{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def engine_url() -> str:
    """The Docker Engine, as the server under test reaches it."""
    if external_url():
        return os.environ.get("PORTAINER_TEST_ENGINE", "unix:///var/run/docker.sock")
    from tests.portainer.images import engine_address

    return engine_address()


@pytest.fixture(scope="session")
def image() -> str:
    """A small image with a shell, in the engine only."""
    if told := os.environ.get("PORTAINER_TEST_IMAGE"):
        return told
    from tests.portainer.images import shell_image

    return shell_image()


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repositories]:
    """Served while the module runs."""
    with served(tmp_path_factory.mktemp("git")) as found:
        yield found


@pytest.fixture(scope="module")
def lab_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, engine_url: str
) -> Iterator[Server | None]:
    """A stand-in with an administrator; None where a server elsewhere is tested."""
    if external_url():
        yield None
        return
    file: Path = request.getfixturevalue("password_file")
    host = {"DOCKER_HOST": engine_url}
    with running(tmp_path_factory.mktemp("portainer"), "--admin-password-file", str(file), **host) as server:
        yield server


@pytest.fixture(scope="module")
def lab_replay(lab_server: Server | None, engine_url: str, image: str) -> Iterator[Replay]:
    """Logged in with a key, with an environment in place of the recorded number 3; stacks go in the end."""
    url = lab_server.url if lab_server else external_url()
    made = Replay(url, new_prefix(), password=PASSWORD if lab_server else external_password())
    made.replacements += [(RECORDED_IMAGE, image), QUICK_STOP, QUICK_LOOP, ("unix:///var/run/docker.sock", engine_url)]
    made.make_key()
    form = {"Name": made.prefix, "EndpointCreationType": "1", "URL": engine_url}
    answer = made.ask("POST", "/api/endpoints", files={name: (None, value) for name, value in form.items()})
    assert answer.status_code == 200, answer.text
    number = answer.json()["Id"]
    made.numbers |= {("endpoints", "3"): str(number), ("endpoints", "1"): str(number)}
    try:
        yield made
    finally:
        clean(made, number)


def clean(made: Replay, endpoint: int) -> None:
    """Remove what a module's tests have left."""
    for stack in made.ask("GET", "/api/stacks").json():
        if stack["Name"].startswith(made.prefix):
            made.ask("DELETE", f"/api/stacks/{stack['Id']}?endpointId={endpoint}")
    docker = f"/api/endpoints/{endpoint}/docker"
    for kind, listed in (("containers", "containers/json?all=1"), ("volumes", "volumes"), ("networks", "networks")):
        found = made.ask("GET", f"{docker}/{listed}").json()
        for item in found["Volumes"] or [] if kind == "volumes" else found:
            name = item.get("Name") or item["Names"][0].lstrip("/")
            if name.startswith(made.prefix):
                made.ask("DELETE", f"{docker}/{kind}/{name}?force=1")
    made.ask("DELETE", f"/api/endpoints/{endpoint}")
