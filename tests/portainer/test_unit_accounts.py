"""Start-up, administrators, users, tokens, keys, and what stands in the way of too many logins."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.portainer.conftest import PASSWORD, Start, new_prefix
from tests.portainer.recordings import covers
from tests.portainer.replay import Replay

Register = Callable[[Replay], Replay]
FIRST = "01-status-init-auth"


@covers("01-status-init-auth", *range(0, 21), *range(22, 47))
def test_a_new_server_gets_an_administrator_users_and_keys(start: Start, replay: Register) -> None:
    server = start()
    run = replay(Replay(server.url, new_prefix()))
    run.play(FIRST, *range(0, 21))
    server.stop()
    server.start()  # or so many logins would be too many
    run.log_in()
    run.play(FIRST, *range(22, 34))
    first = run.play(FIRST, 34)
    run.key = first["rawAPIKey"]
    run.play(FIRST, *range(35, 41))
    both = {"X-API-Key": run.key, "Authorization": f"Bearer {run.jwt}"}
    run.play(FIRST, 41, headers=both)
    run.play(FIRST, 42, 43, 44, 45, 46)
    old = requests.get(f"{server.url}/api/users/me", headers={"Authorization": f"Bearer {run.jwt}"}, timeout=5)
    assert old.status_code in (200, 401)  # same second: the token may be as old as the change


def test_a_token_says_who_and_until_when(start: Start) -> None:
    run = Replay(start().url, new_prefix())
    run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": PASSWORD})
    packed = run.log_in().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    assert claims | {"exp": 0, "iat": 0, "jti": ""} == {
        "id": 1, "username": "admin", "role": 1, "scope": "default", "forceChangePassword": False,
        "exp": 0, "iat": 0, "jti": "",
    }  # fmt: skip
    assert claims["exp"] - claims["iat"] == 8 * 3600


def test_logging_out_is_for_browsers_without_their_cookie_the_connection_closes_and_nothing_is_revoked(
    start: Start,
) -> None:
    run = Replay(start().url, new_prefix())
    run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": PASSWORD})
    run.make_key()
    with pytest.raises(requests.ConnectionError):
        run.ask("POST", "/api/auth/logout")
    run.key = ""
    with pytest.raises(requests.ConnectionError):
        run.ask("POST", "/api/auth/logout")
    assert run.ask("GET", "/api/users/me").status_code == 200


def test_a_change_with_the_browsers_cookie_needs_its_csrf_token(start: Start) -> None:
    run = Replay(start().url, new_prefix())
    run.ask("POST", "/api/users/admin/init", {"Username": "admin", "Password": PASSWORD})
    session = requests.Session()
    session.post(f"{run.url}/api/auth", json={"username": "admin", "password": PASSWORD}, timeout=5)
    assert session.get(f"{run.url}/api/users/me", timeout=5).status_code == 200
    refused = session.post(f"{run.url}/api/tags", json={"name": "t"}, timeout=5)
    assert (refused.status_code, refused.text) == (403, "Forbidden - CSRF token not found in request\n")
    refused = session.post(f"{run.url}/api/tags", json={"name": "t"}, headers={"X-CSRF-Token": "made up"}, timeout=5)
    assert (refused.status_code, refused.text) == (403, "Forbidden - CSRF token invalid\n")


@covers("06-admin-timeout", *range(1, 10))
def test_without_an_administrator_it_locks_itself(start: Start, replay: Register) -> None:
    run = replay(Replay(start(HYPERCOMPOSE_LAB_ADMIN_TIMEOUT_S="0.01").url, new_prefix()))
    time.sleep(0.05)
    run.play("06-admin-timeout", *range(1, 10))
    answer = run.ask("GET", "/api/endpoints")
    assert answer.headers["redirect-reason"] == "AdminInitTimeout" and "Location" not in answer.headers


@covers("07-admin-password-flags", 1, 2, 3, 4, 5)
def test_flags_make_the_administrator_and_the_first_environment(
    start: Start, replay: Register, tmp_path: Path, nobody_listens: str
) -> None:
    (tmp_path / "password").write_text("filepassword\n")
    server = start("--admin-password-file", str(tmp_path / "password"), "-H", nobody_listens)
    run = replay(Replay(server.url, new_prefix(), [("unix:///var/run/docker.sock", nobody_listens)]))
    run.play("07-admin-password-flags", 1, 2)
    run.log_in(password="filepassword")
    run.play("07-admin-password-flags", 3, 4, 5)


@covers("07-admin-password-flags", 7)
def test_a_password_from_a_file_may_be_short(start: Start, replay: Register, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("short")
    run = replay(Replay(start("--admin-password-file", str(tmp_path / "password")).url, new_prefix()))
    run.play("07-admin-password-flags", 7)


@covers("14-orphans-ratelimit", 16, 17)
def test_more_than_ten_logins_ban_the_address(start: Start, replay: Register, password_file: Path) -> None:
    run = replay(Replay(start("--admin-password-file", str(password_file), HYPERCOMPOSE_LAB_BAN_S="1").url, ""))
    run.log_in()
    time.sleep(0.2)
    codes = [run.ask("POST", "/api/auth", {"username": "admin"}).status_code for _ in range(8)]
    assert codes == [400] * 8
    assert any(run.ask("POST", "/api/auth", {"username": "admin"}).status_code == 403 for _ in range(100))
    run.play("14-orphans-ratelimit", 16, 17)
    time.sleep(1.1)
    run.log_in()


@pytest.fixture
def nobody_listens(tmp_path: Path) -> str:
    """Address of a socket where no engine answers."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    return f"unix://{path}"
