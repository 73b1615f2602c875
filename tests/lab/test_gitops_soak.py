"""What takes longer than a test may: forty stacks behind one gate, a huge repository, a full disk."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.lab.checkout import Checkout
from tests.lab.gitops import ADDRESS, SOURCES, URL, Load, Site, page, site_of, web
from tests.lab.test_gitops import PAIR, lose_no_request, pair

pytestmark = [pytest.mark.lab, pytest.mark.soak]
MANY = 40
SHOP: dict[str, Any] = {
    "git": {"url": URL, "ref": "refs/heads/soak"},
    "ports": {"web": 8181},
    "sources": SOURCES,
    "poll": "2s",
    "timeout_s": 60,
}


@pytest.fixture(scope="module")
def site(checkout: Checkout) -> Iterator[Site]:
    with site_of(replace(checkout, timeout_s=1200)) as found:
        yield found


def test_forty_stacks_follow_forty_branches(site: Site) -> None:
    stacks = {
        f"s{number}": {
            **SHOP,
            "git": {**SHOP["git"], "ref": f"refs/heads/soak-{number}"},
            "ports": {"web": 8300 + number},
        }
        for number in range(MANY)
    }
    for number in range(MANY):
        site.branch(f"soak-{number}").push(_small("one", 8300 + number))
    began = time.monotonic()
    up = site.up(stacks)
    assert up.code == 0, up.why
    print(f"up with {MANY} stacks: {time.monotonic() - began:.0f} s")
    commits = [site.branch(f"soak-{number}").push(_small("two", 8300 + number)) for number in range(MANY)]
    began = time.monotonic()
    for number, commit in enumerate(commits):
        site.wait(f"s{number}", running=commit, state="as wanted", seconds=600)
    print(f"{MANY} commits at once run after {time.monotonic() - began:.0f} s")
    used = site.must("systemctl show hypercompose-gate -p MemoryCurrent -p CPUUsageNSec")
    print(used)
    for number in range(MANY):
        assert page(8300 + number) == "two\n"


def test_a_huge_repository_is_fetched_once_for_each_commit(site: Site) -> None:
    branch = site.branch("soak")
    big = {f"assets/{number}.txt": secrets.token_hex(4 << 20) for number in range(8)}
    branch.push(web("small"))
    up = site.up({"shop": SHOP})
    assert up.code == 0, up.why
    commit = site.repository.publish(branch.ref, {"compose.yaml": _text("with assets"), **big}, "assets")
    began = time.monotonic()
    site.wait("shop", running=commit, state="as wanted", seconds=180)
    print(f"a commit with 64 MiB of assets runs after {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    commit = site.repository.publish(branch.ref, {"compose.yaml": _text("the same assets"), **big}, "again")
    site.wait("shop", running=commit, state="as wanted", seconds=60)
    print(f"the next one, with the same assets, after {time.monotonic() - began:.0f} s")


def test_a_full_disk_releases_nothing_and_takes_nothing_down(site: Site) -> None:
    site.must(
        "systemctl stop hypercompose-gate; cd /var/lib; rm -rf hypercompose-gate/stacks/shop/source.git; "
        "cp -a hypercompose-gate /root/gate-copy && mount -t tmpfs -o size=4m none hypercompose-gate && "
        "cp -a /root/gate-copy/. hypercompose-gate/; "
        "cat /dev/zero >hypercompose-gate/full 2>/dev/null; systemctl start hypercompose-gate"
    )
    branch, running = site.branch("soak"), site.status("shop")["running"]
    with Load(f"http://{ADDRESS}:8181/", lambda text: text == "the same assets\n").going() as load:
        commit = branch.push(web("after the full disk"))
        time.sleep(12)
        assert site.status("shop")["running"] == running
    assert load.failed == 0
    site.must("rm /var/lib/hypercompose-gate/full")
    site.wait("shop", running=commit, state="as wanted", seconds=90)
    assert page() == "after the full disk\n"
    site.must("systemctl stop hypercompose-gate; umount /var/lib/hypercompose-gate; systemctl start hypercompose-gate")
    assert site.up({}).code == 0


def test_two_replicas_behind_nginx_lose_no_request_over_ten_deployments(site: Site) -> None:
    site.branch("pair").push(pair("one"))
    assert site.up({"pair": PAIR}).code == 0
    lose_no_request(site, 10)
    assert site.up({}).code == 0


def _small(version: str, port: int) -> dict[str, Any]:
    return web(version, ports=[f"{port}:8080"], mem_limit="16m")


def _text(version: str) -> str:
    return yaml.safe_dump(web(version), sort_keys=False)
