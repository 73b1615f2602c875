"""State in S3: the layout of a folder, read without the engine; each failure is one sentence with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from setup.report import SetupError
from setup.stack import stacks_in_use
from setup.state.bucket import Bucket, is_understood
from setup.state.current import Current
from setup.state.guard import keep, usable
from setup.state.store import Store, store_at
from tests.s3 import BUCKET, KEYS, S3, checkpoint_key, s3_server
from tests.setup.state.states import claim, kept, lab_session, resource


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


def store(backend: str, **environment: str) -> Store:
    found = store_at(backend, {**KEYS, **environment})
    assert found is not None
    return found


def test_it_reads_what_the_engine_keeps(s3: S3) -> None:
    lock = ".pulumi/locks/organization/hypercompose/lab/1.json"
    for name, content in {
        checkpoint_key("lab"): b"now",
        f"{checkpoint_key('lab')}.bak": b"before",
        ".pulumi/history/hypercompose/lab/lab-1.checkpoint.json": b"first",
        ".pulumi/history/hypercompose/lab/lab-2.checkpoint.json": b"second",
        ".pulumi/history/hypercompose/lab/lab-2.history.json": b"no",
        lock: b"held",
    }.items():
        s3.write(name, content)
    found = store(s3.backend)
    assert (found.stacks(), found.checkpoint("lab"), found.checkpoint("other")) == (["lab"], b"now", None)
    assert [list(copies) for copies in found.copies("lab")] == [[b"second", b"first"], [b"before"]]
    assert found.locks("lab") == {lock: b"held"}
    found.blobs.remove(lock)
    found.blobs.remove(lock)
    assert found.locks("lab") == {}


def test_without_a_folder_in_the_url_it_is_the_whole_bucket(s3: S3) -> None:
    s3.write(checkpoint_key("deep"), b"deep")
    assert store(s3.backend.replace("/team?", "?")).checkpoint("deep") is None
    assert Bucket(s3.backend.replace("/team?", "?"), KEYS).read(f"team/{checkpoint_key('deep')}") == b"deep"


def test_more_names_than_fit_on_a_page(s3: S3) -> None:
    behind = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]  # a thousand requests would take five seconds
    for number in range(1003):
        behind.put_object(BUCKET, f"team/.pulumi/many/{number:04}", b"")
    assert len(Bucket(s3.backend, KEYS).names(".pulumi/many/")) == 1003


def test_a_session_uses_the_keys_of_the_sites_file(s3: S3, tmp_path: Path) -> None:
    s3.write(checkpoint_key("lab"), kept(resources=[resource(), claim("lab")]))
    credentials = tmp_path / "credentials.env"
    credentials.write_text("".join(f"export {name}='{value}'\n" for name, value in KEYS.items()))
    credentials.chmod(0o600)
    session = lab_session(tmp_path, backend=s3.backend)
    with pytest.raises(SetupError, match="no credentials"):
        usable(session)
    session = replace(session, site=replace(session.site, credentials=credentials))
    assert usable(session) is not None
    assert keep(session) is not None
    found = Current(session).store
    assert found is not None
    assert "lab" in found.stacks()
    assert "other" not in found.stacks()
    assert "lab" in stacks_in_use(session)


def test_a_profile_is_found_where_the_sites_file_says(s3: S3, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[team]\naws_access_key_id = tester\naws_secret_access_key = secret\n")
    variables = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "keys"), "AWS_PROFILE": "team"}
    assert Bucket(s3.backend, variables).names(".pulumi/nothing/") == []
    assert Bucket(f"{s3.backend}&profile=team", {**variables, "AWS_PROFILE": "x"}).names(".pulumi/nothing/") == []
    with pytest.raises(SetupError, match=r"state.backend s3://.*profile \(nobody\)"):
        Bucket(s3.backend, {**variables, "AWS_PROFILE": "nobody"}).names("")


def test_a_bucket_that_is_not_there(s3: S3) -> None:
    with pytest.raises(SetupError, match=r"state\.backend s3://missing-bucket/team: there is no such bucket; make it"):
        store(s3.backend.replace(BUCKET, "missing-bucket")).checkpoint("lab")


def test_a_server_that_is_down() -> None:
    backend = f"s3://{BUCKET}?endpoint=http://127.0.0.1:1&s3ForcePathStyle=true&region=us-east-1"
    with pytest.raises(SetupError, match=r"http://127\.0\.0\.1:1 cannot be reached .* endpoint= is right"):
        store(backend).checkpoint("lab")


def test_a_bucket_without_sense() -> None:
    with pytest.raises(SetupError, match="correct the address"):
        store("s3://$(reboot)?region=eu").checkpoint("lab")


@pytest.fixture
def refusing(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that answers everything with one code."""
    code, status = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>secret</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"s3://b1x?endpoint=127.0.0.1:{server.server_port}&disableSSL=true&s3ForcePathStyle=true&region=us-east-1"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("refusing", "says"),
    [
        (("InvalidAccessKeyId", 403), "check AWS_ACCESS_KEY_ID in the site's credentials file"),
        (("SignatureDoesNotMatch", 403), "check AWS_SECRET_ACCESS_KEY"),
        (("AccessDenied", 403), "s3:ListBucket"),
        (("ExpiredToken", 400), "log in again"),
        (("InternalError", 500), "the server answers InternalError"),
        (("<b>", 403), "the server answers"),
    ],
    indirect=["refusing"],
)
def test_what_the_server_refuses_is_told_with_the_remedy(refusing: str, says: str) -> None:
    with pytest.raises(SetupError) as refused:
        store(refusing).checkpoint("lab")
    text = str(refused.value)
    assert text.startswith("state.backend s3://b1x: ")
    assert says in text
    assert "\n" not in text
    assert "secret" not in text.replace("secret key", "")


@pytest.mark.parametrize(
    ("backend", "understood"),
    [
        ("s3://b?region=eu&endpoint=http://x&s3ForcePathStyle=true", True),
        ("s3://b?awssdk=v2&profile=p", True),
        ("s3://b?role=arn:aws:iam::1:role/x&region=eu", False),
        ("s3://b?anonymous=true", False),
        ("s3://", False),
        ("gs://b", False),
    ],
)
def test_what_only_the_engine_understands_is_left_to_it(backend: str, understood: bool) -> None:
    assert is_understood(backend) is understood
