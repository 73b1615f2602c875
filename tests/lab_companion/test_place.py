"""Where a companion is, what it keeps, and what Samba is told."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from lab.companion.place import VARIABLES, credentials, place_of, places
from lab.companion.samba import ADMINISTRATOR, USER, configuration
from lab.keys import ensure_ssh_key
from setup.report import SetupError
from tests.lab_guests.sites import make_lab


def test_a_companion_is_in_the_network_of_the_first_bridge(tmp_path: Path) -> None:
    lab = make_lab(tmp_path, "place", "10.95")
    [place] = places(lab.site)
    assert (place.name, place.address, place.interface) == ("app", "10.95.1.21", "10.95.1.21/24")
    assert place_of(lab.site, "app") == place
    with pytest.raises(SetupError, match=r"companion web: lab/world\.yaml has none of this name, only app"):
        place_of(lab.site, "web")


def test_passwords_are_awkward_private_and_kept(tmp_path: Path) -> None:
    lab = make_lab(tmp_path, "place", "10.95")
    made = credentials(lab.site)
    assert list(made) == [VARIABLES[USER], VARIABLES[ADMINISTRATOR]]
    assert len(set(made.values())) == 2 and credentials(lab.site) == made
    password = made[VARIABLES[USER]]
    assert set(" ,'\"$()\\=é") < set(password) and "\n" not in password
    assert shlex.split(shlex.quote(password)) == [password]
    assert (places(lab.site)[0].folder / "passwords" / USER).stat().st_mode & 0o777 == 0o600


def test_what_a_companion_has_is_made_once(tmp_path: Path) -> None:
    lab = make_lab(tmp_path, "place", "10.95")
    ensure_ssh_key(lab.site.directory / "ssh" / "id_ed25519")
    [place] = places(lab.site)
    with pytest.raises(SetupError, match="was never started"):
        place.described()
    place.prepare()
    described, changed = place.described(), place.files / "Floor" / "services.ini"
    changed.write_bytes(b"by hand")
    place.prepare()
    assert place.described() == described and changed.read_bytes() == b"by hand"
    place.reset()
    assert changed.read_bytes() != b"by hand"


def test_a_share_with_a_dollar_sign_is_hidden_and_for_administrators() -> None:
    text = configuration("app", ["M", "M$"])
    ordinary, hidden = text.split("[M]")[1].split("[M$]")
    assert "valid users = svc-compose Administrator\n" in ordinary and "browseable = yes" in ordinary
    assert "valid users = Administrator\n" in hidden and "browseable = no" in hidden
    assert "server signing = mandatory" in text and "netbios name = APP" in text
