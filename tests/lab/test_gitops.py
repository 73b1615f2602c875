"""Push to git and be safe: good commits run within seconds, bad ones take nothing down, while no `pulumi` is alive."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.lab.checkout import Checkout
from tests.lab.gitops import (
    ADDRESS,
    INTERVAL_S,
    NGINX,
    PROBE,
    REGISTRY,
    SOURCES,
    STACK,
    URL,
    Load,
    Site,
    page,
    serving,
    site_of,
    web,
)

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended


def followed(ref: str, port: int, **more: Any) -> dict[str, Any]:
    git = {"url": URL, "ref": f"refs/heads/{ref}"}
    return {"git": git, "ports": {"web": port}, "sources": SOURCES, "poll": f"{INTERVAL_S}s", "timeout_s": 60, **more}


SHOP = followed("shop", 8181)
PAIR = followed("pair", 8282)
BAD: dict[str, tuple[Any, str]] = {
    "bad YAML": ("services: [", "compose files: "),
    "unknown key": (web("bad", imgae="x"), "imgae"),
    "missing image": (web("bad", image=f"{REGISTRY}/lab/none:1"), f"image {REGISTRY}/lab/none:1"),
    "digest mismatch": (web("bad", image=f"{REGISTRY}/lab/probe@sha256:{'0' * 64}"), "image .*sha256:0000"),
    "built on the host": ({"services": {"web": {"build": "."}}}, "services.web.image: none"),
    "host path": (web("bad", volumes=["/etc:/x"]), "services.web.volumes: /etc"),
    "port taken": (web("bad", ports=["8181:8080", "8199:8080"]), "port 8199/tcp: taken by another program"),
    "container exits": (web("bad", command=["sh", "-c", "echo no such luck; exit 3"]), "no such luck"),
    "unhealthy": (
        web("bad", healthcheck={"test": ["CMD", "sh", "-c", "echo sick; exit 1"], "interval": "1s", "retries": 2}),
        "unhealthy.*sick",
    ),
}


@pytest.fixture(scope="module")
def site(checkout: Checkout) -> Iterator[Site]:
    with site_of(checkout) as found:
        yield found


def test_up_ends_with_what_the_branch_says_by_way_of_the_gate(site: Site) -> None:
    commit = site.branch("shop").push(web("one"))
    site.branch("pair").push(pair("one"))
    up = site.up({"shop": SHOP, "pair": PAIR})
    assert up.code == 0, up.why
    assert page() == "one\n"
    assert site.wait("shop", running=commit, state="as wanted")["images"]["web"].startswith(f"{PROBE}@sha256:")
    again = site.checkout.make("up", stack=STACK)
    assert re.search(r"Resources:\n +\d+ unchanged\n", again.text), again.text
    assert site.checkout.preview("--refresh", stack=STACK) == {}


def test_a_good_commit_runs_within_its_interval_and_by_webhook_at_once(site: Site) -> None:
    site.branch("shop").push(web("two"))
    assert site.seconds_until(page, "two") < INTERVAL_S + 10
    site.wait("shop", state="as wanted")
    hook = site.webhook("shop")
    site.must('sed -i \'s/"interval_s": 2/"interval_s": 3600/\' /etc/hypercompose/gate/stacks/shop.json; sleep 3')
    site.branch("shop").push(web("three"))
    assert requests.post(hook, timeout=10, verify=False).status_code == 202  # noqa: S501
    assert site.seconds_until(page, "three") < 5
    site.must('sed -i \'s/"interval_s": 3600/"interval_s": 2/\' /etc/hypercompose/gate/stacks/shop.json')
    assert requests.post(f"{hook}x", timeout=10, verify=False).status_code == 404  # noqa: S501
    site.must("systemctl restart hypercompose-gate")


def test_bad_commits_take_nothing_down_for_longer_than_half_a_minute(site: Site) -> None:
    site.must("systemd-run -q --unit squatter python3 -m http.server 8199 --bind 0.0.0.0")
    shop, outages = site.branch("shop"), {}
    good = shop.push(web("good"))
    site.wait("shop", running=good)
    for name, (content, reason) in BAD.items():
        with Load(f"http://{ADDRESS}:8181/", lambda text: text == "good\n").going() as load:
            commit = shop.push(content)
            found = site.wait("shop", asked=commit, state="refused|rolling back", reason=reason)
            found = site.wait("shop", asked=commit, state="refused", running=good, reason=reason)
        outages[name] = round(load.longest_s, 1)
        assert page() == "good\n", name
        assert load.longest_s < 30, (name, load)
        assert "good" in page()
        assert re.search(r"The version before \(\w+\) (keeps running|runs again)", found["reason"]), found
    untouched = [name for name in BAD if name not in ("container exits", "unhealthy")]
    assert all(outages[name] < 2 for name in untouched), outages
    print(f"outages in seconds: {outages}")
    again = shop.push(web("mended"))
    assert site.seconds_until(page, "mended") < INTERVAL_S + 10
    site.wait("shop", running=again, state="as wanted")
    stacks = site.must("docker inspect portainer -f '{{.State.Status}}'")
    assert stacks.strip() == "running"


def test_a_failure_is_told_on_the_host_in_the_outputs_in_the_drift_report_and_as_metrics(site: Site) -> None:
    shop = site.branch("shop")
    bad = shop.push(web("bad", image=f"{REGISTRY}/lab/none:1"))
    site.wait("shop", asked=bad, state="refused")
    assert f"asked {bad[:10]}" in site.must("hypercompose-gate status")
    drift = site.checkout.make("drift", stack=STACK)
    assert drift.code != 0
    assert "lab/none:1" in drift.text, drift.text
    assert 'hypercompose_gate_stack_ok{stack="shop"} 0' in site.metrics()
    assert f'state="refused",asked="{bad}"' in site.metrics()
    refreshed = site.checkout.make("up", stack=STACK, args="--refresh")
    assert refreshed.code == 0, refreshed.why
    assert "lab/none:1" in refreshed.why
    told = site.checkout.make("outputs", stack=STACK).text
    assert "lab/none:1" in told
    assert bad in told
    good = shop.push(web("fine"))
    site.wait("shop", running=good, state="as wanted")
    assert 'hypercompose_gate_stack_ok{stack="shop"} 1' in site.metrics()


def test_rollback_by_hand_stays_until_another_commit_comes(site: Site) -> None:
    shop, before = site.branch("shop"), site.status("shop")["running"]
    newer = shop.push(web("newer"))
    site.wait("shop", running=newer, state="as wanted")
    back = site.checkout.run(["make", "-s", "rollback", f"STACK={STACK}", f"SITE={site.checkout.lab.site}", "APP=shop"])
    assert back.code == 0, back.text
    assert f"{before[:10]} runs" in back.text
    assert page() == "fine\n"
    time.sleep(3 * INTERVAL_S)
    assert site.status("shop")["state"] == "held"
    wrong = site.checkout.run(
        ["make", "-s", "rollback", f"STACK={STACK}", f"SITE={site.checkout.lab.site}", "APP=shop", "TO=$$(reboot)"]
    )
    assert wrong.code != 0
    assert "no such version, expected one of" in wrong.text
    told = site.checkout.run(["make", "-s", "history", f"STACK={STACK}", f"SITE={site.checkout.lab.site}", "APP=shop"])
    assert "rollback by" in told.text
    assert "Hypercompose <hypercompose@localhost>" in told.text
    newest = shop.push(web("newest"))
    site.wait("shop", running=newest, state="as wanted")


def test_whatever_happens_to_the_source_the_last_good_commit_runs(site: Site) -> None:
    shop, good = site.branch("shop"), site.status("shop")["running"]
    with Load(f"http://{ADDRESS}:8181/", lambda text: text == "newest\n").going() as load:
        shop.push(web("moved"), path="elsewhere/compose.yaml")
        site.wait("shop", state="refused", reason=r"path compose.yaml: not in refs/heads/shop, which has elsewhere/")
        shop.delete()
        site.wait("shop", state="source away", reason="has no refs/heads/shop any more", running=good)
        site.must("echo 127.0.0.9 git.lab.internal >>/etc/hosts")
        site.wait("shop", state="source away", reason="does not answer", running=good)
        site.must("sed '/127.0.0.9/d' /etc/hosts >/tmp/h && cat /tmp/h >/etc/hosts")
    assert load.longest_s < 2
    first = shop.push(web("again"))
    site.wait("shop", running=first, state="as wanted")
    second = shop.push(web("forward"))
    site.wait("shop", running=second, state="as wanted")
    shop.force(first)
    site.wait("shop", running=first, state="as wanted")
    assert page() == "again\n"
    shop.push(web("skipped"))
    last = shop.push(web("two at once"))
    site.wait("shop", running=last, state="as wanted")


def test_a_registry_that_is_away_delays_a_commit_and_hinders_no_way_back(site: Site) -> None:
    shop = site.branch("shop")
    site.must("echo 127.0.0.9 registry.lab.internal >>/etc/hosts")
    with Load(f"http://{ADDRESS}:8181/", lambda text: text == "two at once\n").going() as load:
        commit = shop.push(web("later"))
        site.wait("shop", asked=commit, state="refused", reason=f"image {PROBE}")
    assert load.longest_s < 2
    site.must("sed '/127.0.0.9/d' /etc/hosts >/tmp/h && cat /tmp/h >/etc/hosts")
    site.wait("shop", running=commit, state="as wanted")
    bad = shop.push(web("bad", command=["sh", "-c", "sleep 4; exit 3"], healthcheck={"disable": True}))
    site.wait("shop", state="rolling out|rolling back|as wanted", asked=bad)
    site.must("echo 127.0.0.9 registry.lab.internal >>/etc/hosts")
    site.wait("shop", state="refused", running=commit)
    assert page() == "later\n"
    site.must("sed '/127.0.0.9/d' /etc/hosts >/tmp/h && cat /tmp/h >/etc/hosts")


def test_without_portainer_nothing_is_lost(site: Site) -> None:
    shop, good = site.branch("shop"), site.status("shop")["running"]
    site.must("docker stop -t 1 portainer")
    commit = shop.push(web("while it was away"))
    time.sleep(2 * INTERVAL_S)
    assert page() == "later\n"
    site.must("docker start portainer")
    site.wait("shop", running=commit, state="as wanted")
    assert page() == "while it was away\n"
    assert good != commit


def test_a_gate_that_is_killed_at_any_moment_goes_on(site: Site) -> None:
    shop = site.branch("shop")
    for number, pause_s in enumerate((0.5, 2.5)):
        commit = shop.push(web(f"kill {number}"))
        time.sleep(pause_s)
        site.must("systemctl kill -s KILL hypercompose-gate")
        site.wait("shop", running=commit, state="as wanted")
        assert page() == f"kill {number}\n"
    bad = shop.push(web("bad", command=["sh", "-c", "exit 3"]))
    site.wait("shop", state="rolling", asked=bad)
    site.must("systemctl kill -s KILL hypercompose-gate")
    site.wait("shop", state="refused", asked=bad)
    assert page() == "kill 1\n"


def test_a_host_that_restarts_in_the_middle_ends_at_the_commit_asked_for(site: Site) -> None:
    commit = site.branch("shop").push(web("after the restart"))
    site.wait("shop", asked=commit, state="rolling out|as wanted")
    site.try_("systemctl reboot")
    time.sleep(3)
    deadline = time.monotonic() + 100
    while site.try_("systemctl is-active hypercompose-gate").code and time.monotonic() < deadline:
        time.sleep(0.5)
    site.wait("shop", running=commit, state="as wanted")
    assert page() == "after the restart\n"


def test_a_tag_that_was_pushed_again_is_told_or_deployed_as_settings_say(site: Site) -> None:
    tag, shop = f"{REGISTRY}/lab/moving:1", site.branch("shop")
    site.must(f"docker pull -q {PROBE} && docker tag {PROBE} {tag} && docker push -q {tag}")
    commit = shop.push(web("moving", image=tag))
    before = site.wait("shop", running=commit, state="as wanted")["images"]["web"]
    other = f"printf 'FROM {PROBE}\\nLABEL other=yes\\n' | docker build -q -t {tag} - && docker push -q {tag}"
    site.must(other)
    found = site.wait("shop", state="outdated", reason="tags were pushed again: web: ")
    assert found["images"]["web"] == before
    up = site.up({"shop": {**SHOP, "repushed": "deploy"}, "pair": PAIR})
    assert up.code == 0, up.why
    found = site.wait("shop", state="as wanted", by="pushed again")
    assert found["images"]["web"] != before
    assert page() == "moving\n"


def test_two_replicas_behind_nginx_lose_no_request_over_deployments(site: Site) -> None:
    lose_no_request(site, 3)


def lose_no_request(site: Site, deployments: int) -> None:
    """Every request is answered while one version after the other is rolled out."""
    branch = site.branch("pair")
    with Load(f"http://{ADDRESS}:8282/", lambda text: text.startswith(("one", "v")), pause_s=0.01).going() as load:
        for number in range(deployments):
            commit = branch.push(pair(f"v{number}"))
            site.wait("pair", running=commit, state="as wanted")
            assert page(8282) == f"v{number}\n"
    print(f"requests: {load.asked}, failed: {load.failed}")
    assert load.asked > 50 * deployments
    assert load.failed == 0


def test_a_changed_environment_is_a_release_of_its_own_and_destroy_leaves_nothing(site: Site) -> None:
    changed = {**SHOP, "env": {"WORD": "a b'c\"d$HOME $(reboot) ünï"}}
    site.branch("shop").push(web("env", environment={"WORD": "${WORD:-none}"}))
    up = site.up({"shop": changed})
    assert up.code == 0, up.why
    found = site.must("docker ps -q --filter label=com.docker.compose.project=shop | xargs docker inspect")
    assert '"WORD=a b\'c\\"d$HOME $(reboot) ünï"' in found
    assert site.must("docker ps -aq --filter label=com.docker.compose.project=pair") == ""
    assert site.checkout.preview("--refresh", stack=STACK) == {}
    down = site.up({})
    assert down.code == 0, down.why
    assert site.must("ls /etc/hypercompose/gate/stacks /var/lib/hypercompose-gate/stacks").split() == [
        "/etc/hypercompose/gate/stacks:",
        "/var/lib/hypercompose-gate/stacks:",
    ]


def pair(version: str) -> dict[str, Any]:
    """Two replicas that wait for each other, and nginx that asks the other one."""
    replica = {
        "image": PROBE,
        "command": serving(version),
        "restart": "unless-stopped",
        "stop_grace_period": "1s",
        "healthcheck": {"test": ["CMD", "wget", "-qO-", "http://127.0.0.1:8080/"], "interval": "1s"},
    }
    conf = """daemon off;
pid /tmp/nginx.pid;
events {}
http {
    access_log off;
    upstream replicas { server 172.31.7.11:8080 max_fails=0; server 172.31.7.12:8080 max_fails=0; }
    server {
        listen 8080;
        location / {
            proxy_pass http://replicas;
            proxy_connect_timeout 1s;
            proxy_next_upstream error timeout http_502 http_503 http_504;
        }
    }
}
"""
    return {
        "services": {
            "a": {**replica, "networks": {"inner": {"ipv4_address": "172.31.7.11"}}},
            "b": {
                **replica,
                "networks": {"inner": {"ipv4_address": "172.31.7.12"}},
            },
            "web": {
                "image": NGINX,
                "entrypoint": ["nginx", "-e", "stderr", "-c", "/etc/pair.conf"],
                "configs": [{"source": "pair", "target": "/etc/pair.conf"}],
                "networks": ["inner"],
                "ports": ["8282:8080"],
                "restart": "unless-stopped",
            },
        },
        "x-rolling": ["a", "b"],
        "configs": {"pair": {"content": conf}},
        "networks": {"inner": {"ipam": {"config": [{"subnet": "172.31.7.0/24"}]}}},
    }
