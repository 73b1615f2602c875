"""Tokens, passwords, tickets."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lab.pve.credentials import load_credentials
from tests.lab_pve.pve_site import PveSite, covers


@covers("POST /access/ticket")
async def test_a_password_buys_a_ticket_and_writes_need_its_csrf_token(pve: PveSite) -> None:
    password = load_credentials(pve.world, pve.directory)["root@pam"]
    answer = await pve.do("POST", "/access/ticket", username="root@pam", password=password)
    cookie = {"Cookie": f"PVEAuthCookie={answer['ticket']}"}
    assert (await pve.call("GET", "/version", headers=cookie)).status == 200
    without = await pve.call("POST", "/pools", {"poolid": "p"}, headers=cookie)
    assert (without.status, without.reason) == (401, "Permission denied - invalid csrf token")
    both = cookie | {"CSRFPreventionToken": answer["CSRFPreventionToken"]}
    assert (await pve.call("POST", "/pools", {"poolid": "p"}, headers=both)).status == 200


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "No ticket"),
        ({"Authorization": "PVEAPIToken=root@pam!lab=wrong"}, "invalid token value!"),
        ({"Authorization": "PVEAPIToken=nobody@pam!x=wrong"}, "invalid token value!"),
        ({"Cookie": "PVEAuthCookie=PVE:root@pam:00000000::forged"}, "permission denied - invalid PVE ticket"),
    ],
)
async def test_bad_credentials_are_refused(pve: PveSite, headers: Mapping[str, str], reason: str) -> None:
    answer = await pve.call("GET", "/cluster/nextid", headers=headers)
    assert (answer.status, answer.reason) == (401, reason)


async def test_a_wrong_password_is_refused(pve: PveSite) -> None:
    answer = await pve.call("POST", "/access/ticket", {"username": "root@pam", "password": "wrong"})
    assert (answer.status, answer.reason) == (401, "authentication failure")


async def test_a_ticket_expires(pve: PveSite, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = {"Cookie": f"PVEAuthCookie={pve.cluster.credentials.ticket('root@pam')}"}
    monkeypatch.setattr("lab.pve.credentials.TICKET_LIFETIME_S", -1)
    assert (await pve.call("GET", "/version", headers=cookie)).status == 401


async def test_secrets_are_private_and_stay_the_same(pve: PveSite) -> None:
    assert load_credentials(pve.world, pve.directory) == load_credentials(pve.world, pve.directory)
    for name in ("credentials.json", "control", "state.json"):
        assert (pve.directory / name).stat().st_mode & 0o077 == 0
