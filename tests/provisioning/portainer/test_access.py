"""Which releases are taken, and who we are at a server: the lab's stand-in answers, without Docker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from urllib3.util import Retry

from lab.processes import free_port
from provisioning.errors import ProvisioningError
from provisioning.portainer import access, objects
from provisioning.portainer.access import Accepted, is_safe, refuse_version
from provisioning.portainer.api import Place, Portainer, PortainerError, PortainerUnreachable
from tests.portainer.servers import running
from tests.provisioning.portainer.answering import Answer, answering, certificate_of

PASSWORD = "adminpassword12"
OLD = Accepted(version="2.23.0", reason="the lab's", until=date(2026, 6, 30))


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("2.33.7", False), ("2.33.8", True), ("2.33.10", True),
        ("2.39.1", False), ("2.39.2", True),
        ("2.40.0", False), ("2.40.1", True), ("2.41.0", True), ("3.0.0", True), ("3", True), ("10.0.1", True),
        ("2.23.0", False), ("2.34.9", False), ("2.38.0", False), ("2.40", False),
        ("", False), ("latest", False), ("v2.40.1", False), ("2.x.1", False), ("2..1", False),
    ],
)  # fmt: skip
def test_releases_without_the_known_holes_are_safe(version: str, safe: bool) -> None:
    assert is_safe(version) is safe
    if safe:
        assert refuse_version(version, []) is None
    else:
        with pytest.raises(ProvisioningError, match=r"is not accepted; expected 2\.33\.8 or later of 2\.33"):
            refuse_version(version, [OLD] if version != OLD.version else [])


def test_a_pre_release_of_few_numbers_is_refused_like_any_other() -> None:
    with pytest.raises(ProvisioningError, match="is not accepted"):
        refuse_version("2-rc1", [])


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 6, 30)])
def test_a_release_accepted_by_name_is_a_warning_with_its_reason_until_its_day(day: date) -> None:
    warning = refuse_version("2.23.0", [OLD], day)
    assert warning == "Portainer 2.23.0 has known holes and is accepted until 2026-06-30: the lab's"


def test_the_day_after_it_is_refused_and_the_date_is_named() -> None:
    with pytest.raises(ProvisioningError, match=r"Portainer 2\.23\.0 was accepted until 2026-06-30 only"):
        refuse_version("2.23.0", [OLD], date(2026, 7, 1))


def test_of_two_entries_the_one_that_still_holds_counts() -> None:
    longer = Accepted(version="2.23.0", reason="again", until=date(2026, 12, 31))
    assert "again" in str(refuse_version("2.23.0", [OLD, longer], date(2026, 7, 1)))


def test_accepting_one_release_accepts_no_other() -> None:
    with pytest.raises(ProvisioningError, match=r"2\.23\.1 is not accepted"):
        refuse_version("2.23.1", [OLD], date(2026, 1, 1))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A stand-in with an administrator."""
    folder = tmp_path_factory.mktemp("portainer")
    (folder / "password").write_text(PASSWORD)
    with running(folder, "--admin-password-file", str(folder / "password"), HYPERCOMPOSE_LAB_LOGINS="1000") as server:
        yield Place(url=server.tls_url, certificate=(server.data / "certs" / "cert.pem").read_text())


@pytest.fixture(scope="module")
def session(place: Place) -> Portainer:
    return access.login(place, "admin", PASSWORD)


def test_the_first_answer_tells_release_and_instance(place: Place) -> None:
    status = access.wait(place, 5)
    assert status["Version"] == "2.23.0" and status["InstanceID"]


def test_waiting_for_nobody_ends_with_how_long_it_took() -> None:
    nobody = Place(url=f"https://127.0.0.1:{free_port()}", certificate=certificate_of("one")[0])
    with pytest.raises(PortainerUnreachable, match="waited 0 s"):
        access.wait(nobody, 0)


def test_a_wrong_password_is_told_with_the_setting_and_without_itself(place: Place) -> None:
    with pytest.raises(ProvisioningError, match="hypercompose:portainer_password") as refused:
        access.login(place, "admin", "wrong-password-1")
    assert "refuses the password of admin" in str(refused.value) and "wrong-password-1" not in str(refused.value)


def test_a_refused_login_is_not_repeated_and_a_throttled_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "LOGIN_PAUSES_S", (0.0, 0.0))
    with answering(tmp_path) as server:
        server.answers = [Answer(422, {"message": "Invalid credentials"})]
        with pytest.raises(ProvisioningError, match="refuses the password"):
            access.login(server.place, "admin", "x")
        assert len(server.requests) == 1
        server.answers = [Answer(403, {"message": "slow down"}), Answer(200, {"jwt": "j"})]
        access.login(server.place, "admin", "x")
        assert len(server.requests) == 3
        server.answers = [Answer(403, {"message": "slow down"})]
        with pytest.raises(PortainerError, match="slow down"):
            access.login(server.place, "admin", "x")
        assert len(server.requests) == 6


def test_a_new_key_takes_the_place_of_older_ones_with_its_description(place: Place, session: Portainer) -> None:
    other = access.make_key(session, PASSWORD, "somebody else's")
    first = access.make_key(session, PASSWORD, "hypercompose lab")
    second = access.make_key(session, PASSWORD, "hypercompose lab")
    known = [access.key_is_valid(place, key) for key in (other, first, second)]
    assert known == [True, False, True]


def test_a_revoked_key_is_valid_no_more_and_revoking_again_is_no_error(place: Place, session: Portainer) -> None:
    kept = access.make_key(session, PASSWORD, "kept")
    key = access.make_key(session, PASSWORD, "gone soon")
    assert access.key_is_valid(place, key)
    access.revoke(place, key, "gone soon")
    assert not access.key_is_valid(place, key)
    access.revoke(place, key, "gone soon")
    assert access.key_is_valid(place, kept)


def test_a_server_with_another_trouble_does_not_make_a_key_invalid(tmp_path: Path) -> None:
    with answering(tmp_path) as server:
        server.answers = [Answer(500, {"message": "database"})]
        with pytest.raises(PortainerError, match="database"):
            access.key_is_valid(server.place, "ptr_1")


def test_a_password_is_changed_once(place: Place, session: Portainer) -> None:
    user = {"Username": "carol", "Password": "first-password-1", "Role": 2}
    session.post("/users", user)
    for old in ("first-password-1", "unknown by now"):
        access.set_password(place, "carol", old, "second-password-2")


def test_a_registry_is_made_once_and_brought_to_other_inputs(session: Portainer) -> None:
    inputs = {"name": "own", "kind": "custom", "url": "registry.lab:5000", "user": "puller", "password": "one"}
    number = objects.ensure_registry(session, inputs)
    changed = {**inputs, "url": "registry.lab:5001", "password": "two"}
    assert objects.ensure_registry(session, changed) == number
    found = objects.find_registry(session, "own")
    assert found is not None
    shown = [found[name] for name in ("Type", "URL", "Authentication", "Username", "Password")]
    assert shown == [3, "registry.lab:5001", True, "puller", "two"]
    objects.ensure_registry(session, {"name": "own", "kind": "custom", "url": "registry.lab:5001"})
    found = objects.find_registry(session, "own")
    assert found is not None and found["Authentication"] is False and found["Username"] == ""


def test_a_registry_of_another_kind_takes_the_place_of_the_old(session: Portainer) -> None:
    inputs = {"name": "kinds", "kind": "custom", "url": "proget.lab/docker"}
    old = objects.ensure_registry(session, inputs)
    new = objects.ensure_registry(session, {**inputs, "kind": "proget"})
    found = objects.find_registry(session, "kinds")
    assert found is not None and new != old
    assert (found["Id"], found["Type"], found["BaseURL"]) == (new, 5, "proget.lab")


def test_a_registry_that_is_missing_is_removed_without_a_dropped_connection(session: Portainer) -> None:
    with pytest.raises(PortainerUnreachable):
        session.delete("/registries/999")  # what it is about: the real server's handler panics
    objects.remove_registry(session, 999)
    number = objects.ensure_registry(session, {"name": "short-lived", "kind": "custom", "url": "short.lab"})
    objects.remove_registry(session, number)
    objects.remove_registry(session, number)
    assert objects.find_registry(session, "short-lived") is None


def test_settings_are_read_whole_and_kept_when_others_change(session: Portainer) -> None:
    before = objects.settings_of(session)
    session.put("/settings", {"EnableTelemetry": not before["EnableTelemetry"]})
    assert objects.settings_of(session) == {**before, "EnableTelemetry": not before["EnableTelemetry"]}


def test_an_environment_that_nobody_made_is_not_found_and_removing_one_is_no_error(session: Portainer) -> None:
    assert objects.find_environment(session, "nowhere") is None
    objects.remove_environment(session, 999)


def test_names_of_environments_are_told_apart_by_case(tmp_path: Path) -> None:
    with answering(tmp_path) as server:
        server.answers = [Answer(200, [{"Id": 1, "Name": "Local"}, {"Id": 2, "Name": "local"}])]
        assert objects.ensure_environment(Portainer(server.place), "local") == 2


def test_a_missing_environment_is_made_as_a_form_for_the_servers_own_socket(tmp_path: Path) -> None:
    with answering(tmp_path) as server:
        server.answers = [Answer(200, []), Answer(200, {"Id": 4})]
        assert objects.ensure_environment(Portainer(server.place), "local") == 4
        made = server.requests[1]
    assert (made.method, made.path) == ("POST", "/api/endpoints")
    assert b'name="URL"\r\n\r\nunix:///var/run/docker.sock' in made.body
    assert b'name="EndpointCreationType"\r\n\r\n1' in made.body
