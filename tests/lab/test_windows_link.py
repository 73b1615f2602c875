"""A host and its Windows companion, on real Samba: one service after the other, there and back."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from setup.exports import read_exports
from tests.lab.checkout import NET, SITE, Checkout, Done

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
STACK, HOST, ADDRESS, COMPANION = "linked", "vm-linked", f"{NET}.0.91", f"{NET}.0.21"
PROBE = "registry.lab.internal:5000/lab/probe:1"
WEB = f"http://{ADDRESS}:8080"
INI = {"file": "Floor/services.ini", "encoding": "cp1252"}
BILLING_URL = "/configuration/appSettings/add[@key='BillingUrl']/@value"
SERVICES: dict[str, Any] = {
    "billing": {
        "edits": [
            {"file": "Loyalty/web.config", "at": BILLING_URL, "value": "http://{address}:{port:echo.web}"},
            {**INI, "at": "Billing/Url", "value": "http://{address}:{port:echo.web}"},
            {
                "file": "Loyalty/Loyalty.exe.config",
                "at": "/configuration/appSettings/add[@key='Billing']/@value",
                "value": "http://{address}:{port:echo.web}",
            },
            {"file": "Reports/settings.yaml", "at": "/reports/billing_url", "value": "http://{address}:8080"},
        ],
        "restarts": ["CasinoLoyalty", "CasinoFloor"],
    },
    "loyalty": {
        "edits": [
            {"file": "Billing/appsettings.json", "at": "/Endpoints/Loyalty/Url", "value": "http://{address}:8080/api/"},
            {"file": "Reports/.env", "at": "LOYALTY_URL", "value": "http://{address}:8080"},
            {
                "file": "Gateway/gateway.conf",
                "format": "text",
                "at": r"^upstream loyalty +-> (?P<value>\S+) weight \d+$",
                "value": "{address}:8080",
            },
        ]
    },
    "floor": {
        "edits": [
            {"file": "Billing/appsettings.json", "at": "/Endpoints/Floor/Url", "value": "http://{address}:8080"},
            {
                "file": "Loyalty/web.config",
                "at": "/configuration/connectionStrings/add[@name='Loyalty']/@connectionString",
                "value": "Data Source={companion};Password={secret:db};App={name}",
            },
        ]
    },
}
ECHO = {
    "inline": yaml.safe_dump(
        {
            "services": {
                "web": {
                    "image": PROBE,
                    "command": ["sh", "-c", "trap 'exit 0' TERM; httpd -f -p 8080 -h /share & wait"],
                    "ports": ["8080:8080"],
                    "stop_grace_period": "1s",
                    "volumes": [
                        {
                            "type": "bind",
                            "source": "/mnt/m/Floor",
                            "target": "/share",
                            "read_only": True,
                            "bind": {"propagation": "rslave"},
                        }
                    ],
                }
            }
        }
    ),
    "ports": {"web": 8080},
    "sources": [f"{NET}.0.0/24"],
    "links": ["app"],
}
SECRET = "Canary-l1nk<&\"'$(reboot)"


class Linked:
    """The stack, the companion's files, and who changes them."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        shown = self.lab("show")
        self.companion = json.loads(shown[shown.index("{") :])
        self.files = Path(self.companion["files"])
        self.address = ADDRESS

    def lab(self, what: str) -> str:
        site = ["--site", f"sites/{SITE}.yaml", "--dir", ".lab"]
        done = self.checkout.run([".venv/bin/python", "-m", "lab", "companion", "app", what, *site])
        assert done.code == 0, done.text
        return done.text

    def write(self, *containerised: str, **changes: Any) -> None:
        """Settings; `changes` are of the link."""
        key = " ".join(self.companion["host_key"].split()[:2])
        link = {
            "host": HOST,
            "companion": COMPANION,
            "user": "svc-compose",
            "domain": "CASINO",
            "containerised": list(containerised),
            "services": SERVICES,
            "ssh": {"host_key": key},
            **changes,
        }
        vm = {
            "name": HOST,
            "first_id": 1900,
            "memory_mib": 2048,
            "networks": [{"bridge": "vmbr0", "address": f"{self.address}/24"}],
        }
        keys: dict[str, Any] = {
            "site": SITE,
            "vms": [vm],
            "baseline": {"firewall": {}},
            "docker": {},
            "portainer": {"sources": [f"{NET}.0.0/24"]},
            "stacks": {"echo": ECHO},
            "links": {"app": link} if containerised is not None else {},
            "link_secrets": {"app": {"db": SECRET}},
        }
        self.checkout.write_settings(STACK, **keys)

    def up(self, *containerised: str, args: str = "", **changes: Any) -> Done:
        self.write(*containerised, **changes)
        return self.checkout.make("up", stack=STACK, args=args)

    def must_up(self, *containerised: str, args: str = "", **changes: Any) -> Done:
        done = self.up(*containerised, args=args, **changes)
        assert done.code == 0, done.why
        return done

    def tree(self) -> dict[str, bytes]:
        """Every file that is not the link's own."""
        found = {file.relative_to(self.files).as_posix(): file for file in self.files.rglob("*") if file.is_file()}
        return {path: file.read_bytes() for path, file in found.items() if not path.startswith("hypercompose/")}

    def restarted(self) -> list[str]:
        calls = [json.loads(line) for line in Path(self.companion["calls"]).read_text().splitlines()]
        assert all(call["exit"] == 0 for call in calls), calls
        return [re.search(r"-Name '([^']+)'", call["script"])[1] for call in calls]  # type: ignore[index]

    def by_hand(self, path: str, old: str, new: str) -> None:
        """Somebody on Windows edits a file."""
        file = self.files / path
        content = file.read_bytes()
        assert content.count(old.encode()) == 1
        file.write_bytes(content.replace(old.encode(), new.encode()))

    def must(self, script: str) -> str:
        """A script of root's on the host."""
        host = self.checkout.hosts(STACK)[HOST]
        done = self.checkout.ssh(host, f"sudo bash -c {shlex.quote(script)}")
        assert done.code == 0, f"{script}\n{done.text}"
        return str(done.text)


@pytest.fixture(scope="module")
def linked(checkout: Checkout) -> Iterator[Linked]:
    found = Linked(checkout)
    found.lab("reset")
    Path(found.companion["calls"]).write_text("")
    yield found
    checkout.make("down", stack=STACK)


@pytest.fixture(scope="module")
def original(linked: Linked) -> dict[str, bytes]:
    return linked.tree()


def changed(original: Mapping[str, bytes], *edits: tuple[str, str, str]) -> dict[str, bytes]:
    """The original with exactly these values changed, each in its file's own encoding."""
    found = dict(original)
    for path, old, new in edits:
        encoding = "utf-16-le" if path.endswith(".exe.config") else "utf-8"
        assert found[path].count(old.encode(encoding)) == 1, (path, old)
        found[path] = found[path].replace(old.encode(encoding), new.encode(encoding))
    return found


def billing(address: str = ADDRESS) -> list[tuple[str, str, str]]:
    windows, here = f"http://{COMPANION}:5001", f"http://{address}:8080"
    return [
        ("Loyalty/web.config", f'"BillingUrl" value="{windows}"', f'"BillingUrl" value="{here}"'),
        ("Floor/services.ini", f"Url={windows}", f"Url={here}"),
        ("Loyalty/Loyalty.exe.config", f'"Billing" value="{windows}"', f'"Billing" value="{here}"'),
        ("Reports/settings.yaml", f'billing_url: "{windows}"', f'billing_url: "{here}"'),
    ]


def loyalty(address: str = ADDRESS) -> list[tuple[str, str, str]]:
    return [
        ("Billing/appsettings.json", f"http://{COMPANION}:5002/api/", f"http://{address}:8080/api/"),
        ("Reports/.env", f'LOYALTY_URL="http://{COMPANION}:5002"', f'LOYALTY_URL="http://{address}:8080"'),
        ("Gateway/gateway.conf", f"loyalty  -> {COMPANION}:5002", f"loyalty  -> {address}:8080"),
    ]


def floor(address: str = ADDRESS) -> list[tuple[str, str, str]]:
    login = f"Data Source={COMPANION},1433;Initial Catalog=Loyalty;User ID=loyalty;Password=l0y&amp;lty"
    secret = "Canary-l1nk&lt;&amp;&quot;'$(reboot)"
    return [
        ("Billing/appsettings.json", f"http://{COMPANION}:5003", f"http://{address}:8080"),
        ("Loyalty/web.config", login, f"Data Source={COMPANION};Password={secret};App={HOST}"),
    ]


def test_up_mounts_the_share_and_changes_exactly_the_values_of_the_one_service(
    linked: Linked, original: dict[str, bytes]
) -> None:
    linked.must_up("billing")
    assert linked.tree() == changed(original, *billing())
    assert linked.restarted() == ["CasinoLoyalty", "CasinoFloor"]
    assert linked.checkout.preview(stack=STACK) == {}
    assert linked.checkout.preview("--refresh", stack=STACK) == {}
    assert "Casino Z" in linked.must(f"curl -s {WEB}/services.ini | iconv -f cp1252")
    assert linked.must("stat -c '%a %U' /etc/hypercompose/links/app").strip() == "600 root"


def test_services_come_one_at_a_time_with_old_and_new_value_in_the_preview(
    linked: Linked, original: dict[str, bytes]
) -> None:
    linked.write("billing", "loyalty")
    shown = linked.checkout.pulumi("preview", "--diff", stack=STACK).text
    assert f'/Endpoints/Loyalty/Url: "http://{COMPANION}:5002/api/" => "http://{ADDRESS}:8080/api/"' in shown
    assert 'servedBy: "windows" => "vm-linked"' in shown
    linked.must_up("billing", "loyalty")
    assert linked.tree() == changed(original, *billing(), *loyalty())
    done = linked.must_up("billing", "loyalty", "floor")
    assert linked.tree() == changed(original, *billing(), *loyalty(), *floor())
    state = linked.checkout.pulumi("stack", "export", stack=STACK).text
    assert "l1nk" not in done.text + state and "l0y" not in done.text + state


def test_one_goes_back_and_a_hand_edit_beside_it_stays(linked: Linked, original: dict[str, bytes]) -> None:
    linked.by_hand("Floor/services.ini", "Timeout = 30", "Timeout = 31")
    linked.must_up("billing", "floor")
    kept = ("Floor/services.ini", "Timeout = 30", "Timeout = 31")
    assert linked.tree() == changed(original, *billing(), *floor(), kept)


def test_a_value_changed_by_hand_is_named_healed_or_taken_over(linked: Linked) -> None:
    linked.by_hand("Floor/services.ini", f"Url={WEB}", "Url=http://by.hand")
    report = linked.checkout.run(["make", "-s", "drift", f"STACK={STACK}", f"SITE={SITE}"])
    assert f'values["Floor/services.ini"]["Billing/Url"]: "{WEB}" => "http://by.hand"' in report.text
    linked.must_up("billing", "floor", args="--refresh")
    assert f"Url={WEB}".encode() in linked.tree()["Floor/services.ini"]
    linked.by_hand("Floor/services.ini", f"Url={WEB}", "Url=http://by.hand")
    edits = [SERVICES["billing"]["edits"][0], {**INI, "at": "Billing/Url", "keep": True}]
    services = {**SERVICES, "billing": {**SERVICES["billing"], "edits": edits}}
    linked.must_up("billing", "floor", args="--refresh", services=services)
    assert b"Url=http://by.hand" in linked.tree()["Floor/services.ini"]
    assert linked.checkout.preview("--refresh", stack=STACK) == {}
    linked.by_hand("Floor/services.ini", "Url=http://by.hand", f"Url={WEB}")
    linked.must_up("billing", "floor")


def test_an_entry_that_another_link_has_is_refused_by_name_and_nothing_changes(linked: Linked) -> None:
    record = linked.files / "hypercompose/links/lab.other.app/theirs.json"
    selected = {"file": "reports/.ENV", "format": "env", "at": "loyalty_url", "encoding": "auto"}
    record.parent.mkdir(parents=True)
    claims = [{"selected": selected, "backup": "x", "ours": []}]
    record.write_text(
        json.dumps({"version": 1, "owner": "lab/other/app", "service": "theirs", "claims": claims, "restarts": []})
    )
    before = linked.tree()
    refused = linked.up("billing", "floor", "loyalty")
    assert refused.code != 0
    assert "Reports/.env LOYALTY_URL: service theirs of lab/other/app has it" in refused.text
    assert linked.tree() == before
    record.unlink()
    record.parent.rmdir()


def test_a_file_that_is_not_there_fails_the_preview_by_name(linked: Linked) -> None:
    edits = [{"file": "Nowhere/app.json", "at": "/a", "value": "x"}]
    linked.write("billing", "floor", services={**SERVICES, "new": {"edits": edits}})
    done = linked.checkout.pulumi("preview", stack=STACK)
    assert done.code != 0
    assert "Nowhere/app.json: is not there; check the path" in done.text


def test_the_share_is_there_again_after_restarts_of_either_side(linked: Linked) -> None:
    linked.lab("stop")
    began = time.monotonic()
    linked.checkout.ssh(linked.checkout.hosts(STACK)[HOST], "sudo systemctl reboot")
    time.sleep(3)
    while linked.checkout.ssh(linked.checkout.hosts(STACK)[HOST], "systemctl is-system-running --wait").code > 1:
        assert time.monotonic() - began < 120
        time.sleep(1)
    report = linked.checkout.run(["make", "-s", "drift", f"STACK={STACK}", f"SITE={SITE}"])
    assert "not read, so nothing is known of it" in report.text or "unknown" in report.text.lower()
    linked.lab("start")
    assert "services.ini" in linked.must("ls /mnt/m/Floor")
    linked.must_up("billing", "floor", args="--refresh")
    assert "Casino Z" in linked.must(f"curl -s --retry 9 --retry-all-errors {WEB}/services.ini | iconv -f cp1252")


def test_files_follow_a_host_with_a_new_address_in_one_up(linked: Linked, original: dict[str, bytes]) -> None:
    linked.address = f"{NET}.0.92"
    linked.must_up("billing", "floor")
    kept = ("Floor/services.ini", "Timeout = 30", "Timeout = 31")
    assert linked.tree() == changed(original, *billing(linked.address), *floor(linked.address), kept)


def test_destroying_gives_back_what_is_ours_says_what_it_left_and_leaves_no_login(
    linked: Linked, original: dict[str, bytes]
) -> None:
    linked.by_hand("Billing/appsettings.json", f'"http://{linked.address}:8080"', '"http://theirs"')
    down = linked.checkout.make("down", stack=STACK)
    assert down.code == 0, down.why
    assert "Billing/appsettings.json /Endpoints/Floor/Url: was changed by somebody else since" in down.text
    theirs = ("Billing/appsettings.json", f"http://{COMPANION}:5003", "http://theirs")
    kept = ("Floor/services.ini", "Timeout = 30", "Timeout = 31")
    assert linked.tree() == changed(original, kept, theirs)
    assert not list(linked.files.glob("hypercompose/links/*/*"))
    assert sorted(path.name for path in (linked.files / "hypercompose").iterdir()) == ["backups"]


def test_nobody_needs_the_password_in_an_argument_or_a_log(linked: Linked) -> None:
    password = read_exports(linked.checkout.folder / ".lab" / "credentials.env")["HYPERCOMPOSE_COMPANION_PASSWORD"]
    assert password not in linked.checkout.pulumi("stack", "export", stack=STACK).text
