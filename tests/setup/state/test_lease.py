"""One at a time: exactly one of many wins, a dead owner blocks nobody, and whoever has lost it stops."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from setup.report import SetupError
from setup.state.bucket import Bucket
from setup.state.lease import Held, alone, refused
from tests.s3 import KEYS, S3, s3_server
from tests.setup.state.states import lab_session
from tests.setup.test_locks import dead

LEASE = ".hypercompose/lab.lease"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3: S3) -> Bucket:
    found = Bucket(s3.backend, KEYS)
    found.remove(LEASE)
    return found


def held(bucket: Bucket, note: Path, **how: Any) -> Held:
    return Held(bucket=bucket, stack="lab", note=note, **how)


@pytest.fixture(params=["folder", "bucket"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return f"file://{tmp_path}/state"
    bucket, s3 = request.getfixturevalue("bucket"), request.getfixturevalue("s3")
    assert bucket.tagged(LEASE) is None
    return str(s3.backend)


def test_of_eight_at_once_exactly_one_goes_on(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for _ in range(5):
        gate, everybody_tried = threading.Barrier(8), threading.Barrier(8)

        def one(number: int, gate: threading.Barrier = gate, tried: threading.Barrier = everybody_tried) -> str:
            gate.wait()
            try:
                with alone(lab_session(tmp_path / str(number), backend=backend)):
                    tried.wait()
                    return "ran"
            except SetupError as problem:
                tried.wait()
                return str(problem)

        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(one, range(8)))
        assert said.count("ran") == 1
        assert sum("is being changed by '" in text for text in said) == 7


def test_stacks_do_not_hold_each_other_up(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with alone(lab_session(tmp_path, backend=backend)), alone(lab_session(tmp_path, "other", backend=backend)):
        pass
    with alone(lab_session(tmp_path, backend=backend)):
        pass


def test_the_kernel_frees_the_lease_of_a_killed_process(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from setup.state.lease import alone\n"
        "from tests.setup.state.states import lab_session\n"
        f"with alone(lab_session(Path({str(tmp_path)!r}))): print('held', flush=True); input()"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(SetupError, match=f"process {other.pid}"), alone(lab_session(tmp_path)):
        pass
    other.kill()
    other.communicate()
    with alone(lab_session(tmp_path)):
        pass


@pytest.mark.parametrize("owner", [{"pid": dead()}, {"born": "0"}])
def test_in_a_bucket_our_own_dead_process_blocks_nobody(bucket: Bucket, tmp_path: Path, owner: dict[str, Any]) -> None:
    """Gone, or its id is used again."""
    note = tmp_path / "note"
    held(bucket, note).take()
    with pytest.raises(SetupError, match="is being changed"):
        held(bucket, note).take()
    note.write_text(json.dumps({**json.loads(note.read_text()), **owner}))
    with pytest.raises(SetupError, match="is being changed"):
        held(bucket, tmp_path / "the note of another machine").take()
    held(bucket, note).take()


def test_a_process_that_nobody_buries_is_dead(bucket: Bucket, tmp_path: Path) -> None:
    """As a killed make is in a container whose first process is no init."""
    zombie = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    assert zombie.stdout is not None
    zombie.stdout.read()
    stat = Path(f"/proc/{zombie.pid}/stat")
    while " Z " not in stat.read_text():
        time.sleep(0.01)
    note = tmp_path / "note"
    held(bucket, note).take()
    born = stat.read_text().rpartition(")")[2].split()[19]
    note.write_text(json.dumps({**json.loads(note.read_text()), "pid": zombie.pid, "born": born}))
    held(bucket, note).take()
    zombie.wait()


def test_one_that_was_not_renewed_is_taken_over_and_its_owner_stops(bucket: Bucket, tmp_path: Path) -> None:
    lost = threading.Event()
    first = held(bucket, tmp_path / "a", lost=lost.set, beat_s=0.3)
    first.take()
    time.sleep(1.1)  # the server tells whole seconds
    second = held(bucket, tmp_path / "b", expiry_s=0)
    second.take()
    first.live()
    assert lost.is_set()
    first.give_back()
    assert bucket.tagged(LEASE) is not None
    second.give_back()
    assert bucket.tagged(LEASE) is None


def test_one_that_is_renewed_lives_on(bucket: Bucket, tmp_path: Path) -> None:
    first = held(bucket, tmp_path / "a", lost=lambda: pytest.fail("lost"), beat_s=0.05)
    first.take()
    heart = threading.Thread(target=first.live)
    heart.start()
    time.sleep(0.5)
    first.over.set()
    heart.join()
    found = bucket.tagged(LEASE)
    assert found is not None
    assert json.loads(found.content)["beat"] > 3
    first.give_back()
    assert bucket.tagged(LEASE) is None


def test_a_takeover_loses_against_a_beat(bucket: Bucket, tmp_path: Path) -> None:
    first = held(bucket, tmp_path / "a", beat_s=0.01)
    first.take()
    seen = bucket.tagged(LEASE)
    assert seen is not None
    threading.Timer(0.2, first.over.set).start()
    first.live()
    assert bucket.write_if(LEASE, b"mine", seen.tag) is None


def test_an_answer_that_was_lost_is_no_lost_lease(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = bucket.write_if
    monkeypatch.setattr(bucket, "write_if", lambda *given: write(*given) and None)  # written, but said to be refused
    first = held(bucket, tmp_path / "a")
    first.take()
    first.give_back()
    assert bucket.tagged(LEASE) is None


class _Old(BaseHTTPRequestHandler):
    """A server from before writes had conditions."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        body = b"<?xml version='1.0'?><Error><Code>NotImplemented</Code><Message>header</Message></Error>"
        self.send_response(501)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_without_conditions_is_used_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server = HTTPServer(("127.0.0.1", 0), _Old)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        backend = f"s3://b1x?endpoint=http://127.0.0.1:{server.server_port}&s3ForcePathStyle=true&region=us-east-1"
        with alone(lab_session(tmp_path, backend=backend)):
            pass
    finally:
        server.shutdown()
        server.server_close()
    assert "only Pulumi's own lock" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"user": "x"}'])
def test_a_lease_that_says_nothing_is_somebodys(content: bytes) -> None:
    assert "by 'somebody'" in str(refused("lab", content))


def test_what_a_lease_says_cannot_write_to_the_terminal() -> None:
    said = {"user": "\x1b[2J\n<b>", "host": "$(reboot)", "pid": "'", "since": "|"}
    assert "\x1b" not in str(refused("lab", json.dumps(said).encode()))


def test_a_backend_that_only_the_engine_knows_has_no_lease(tmp_path: Path) -> None:
    with alone(lab_session(tmp_path, backend="gs://state")):
        pass
