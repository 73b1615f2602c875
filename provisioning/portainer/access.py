"""Who we are at a Portainer server: its version is one we accept, and an API key of our own is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from provisioning.errors import ProvisioningError
from provisioning.portainer.api import OtherCertificate, Place, Portainer, PortainerError, PortainerUnreachable

FIRST_SAFE = {(2, 33): (2, 33, 8), (2, 39): (2, 39, 2)}
"""Long-term releases, and the first of each without CVE-2026-44848, -44849 and -44883."""
NEWER_SAFE = (2, 40, 1)
PAUSE_S = 0.5
LOGIN_PAUSES_S = (2.0, 5.0, 10.0)
"""More than ten logins at once, then more than one a second, are answered by 403 for an hour, by address (measured)."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A release accepted by name although it is not safe by itself: why, and until when."""

    version: str
    reason: str
    until: date


def refuse_version(version: str, accepted: Sequence[Accepted], today: date | None = None) -> str | None:
    """None for a safe release; a warning for one accepted by name. Raises ProvisioningError for every other."""
    if is_safe(version):
        return None
    day = today or datetime.now(UTC).date()
    for entry in accepted:
        if entry.version == version and day <= entry.until:
            return f"Portainer {version} has known holes and is accepted until {entry.until}: {entry.reason}"
    lapsed = next((entry for entry in accepted if entry.version == version), None)
    why = f"was accepted until {lapsed.until} only" if lapsed else "is not accepted"
    raise ProvisioningError(
        f"Portainer {version} {why}; expected 2.33.8 or later of 2.33, 2.39.2 or later of 2.39, or 2.40.1 and later "
        "(CVE-2026-44848, CVE-2026-44849, CVE-2026-44883). Use a newer image, or name it under portainer.accept of "
        "the site file with a reason and a date"
    )


def is_safe(version: str) -> bool:
    """Whether a release has none of the holes known today; what is not released yet is none."""
    if "-" in version:
        return False
    try:
        numbers = tuple(map(int, f"{version}.0.0".split(".")[:3]))
    except ValueError:
        return False
    first = FIRST_SAFE.get((numbers[0], numbers[1]))
    return numbers >= first if first else numbers >= NEWER_SAFE


def wait(place: Place, deadline_s: float) -> Mapping[str, str]:
    """What `/api/status` says, once the server answers: `Version` and `InstanceID`."""
    limit, nobody = time.monotonic() + deadline_s, Portainer(place)
    while True:
        try:
            found: Mapping[str, str] = nobody.get("/status")
            return found
        except OtherCertificate:
            raise
        except (PortainerUnreachable, PortainerError) as error:
            if time.monotonic() > limit:
                raise PortainerUnreachable(f"{error}; waited {deadline_s:.0f} s") from error
        time.sleep(PAUSE_S)


def login(place: Place, user: str, password: str) -> Portainer:
    """A session as that user. Refused logins are never repeated, throttled ones a few times."""
    for pause in (*LOGIN_PAUSES_S, None):
        try:
            answer = Portainer(place).post("/auth", {"username": user, "password": password})
            return Portainer(place, token=answer["jwt"])
        except PortainerError as error:
            if error.status == 422:
                raise ProvisioningError(
                    f"{place.url}: Portainer refuses the password of {user}; its data volume has another one. Set "
                    "`pulumi config set --secret hypercompose:portainer_password` to that, or change it there"
                ) from error
            if error.status not in (403, 429) or pause is None:
                raise
        time.sleep(pause)
    raise AssertionError  # the last round returns or raises


def make_key(session: Portainer, password: str, description: str) -> str:
    """A new API key of the user who is logged in; older ones of the same description are removed."""
    me = int(session.get("/users/me")["Id"])
    answer = session.post(f"/users/{me}/tokens", {"description": description, "password": password})
    for key in session.get(f"/users/{me}/tokens"):
        if key["description"] == description and key["id"] != answer["apiKey"]["id"]:
            session.delete(f"/users/{me}/tokens/{key['id']}")
    return str(answer["rawAPIKey"])


def key_is_valid(place: Place, api_key: str) -> bool:
    """Whether the server still knows the key."""
    try:
        Portainer(place, api_key=api_key).get("/users/me")
    except PortainerError as error:
        if error.status in (401, 403):
            return False
        raise
    return True


def revoke(place: Place, api_key: str, description: str) -> None:
    """Remove the key; one that is gone is no error. Keys with a user's own password stay."""
    session = Portainer(place, api_key=api_key)
    try:
        me = int(session.get("/users/me")["Id"])
        for key in session.get(f"/users/{me}/tokens"):
            if key["description"] == description:
                session.delete(f"/users/{me}/tokens/{key['id']}")
    except PortainerError as error:
        if error.status not in (401, 403, 404):
            raise


def set_password(place: Place, user: str, old: str, new: str) -> None:
    """Change a user's password, unless it is the new one already."""
    try:
        session = login(place, user, new)
    except ProvisioningError:
        session = login(place, user, old)
        me = int(session.get("/users/me")["Id"])
        session.put(f"/users/{me}/passwd", {"password": old, "newPassword": new})
