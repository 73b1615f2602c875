"""Preflight against a whole site: all is well on a fresh one; each fault is named while all else is checked."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from tests.lab.checkout import ROOT, Checkout, OwnLab, own_lab

OWN = OwnLab(site="lab-pre", net="10.88", port=18188)  # it breaks what others would use
SITE, NET = OWN.site, OWN.net
pytestmark = pytest.mark.lab
STACK, VM, ADDRESS = "pre-lab", 7100, f"{NET}.0.81"
IDS = {"1100": "7100", "1001": "7001", "2001": "7201"}
Found = dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A copy of this checkout with a running lab of its own."""
    with own_lab(OWN) as found:
        yield found


@dataclass
class Preflight:
    """Runs it as a person does after `make env`, with what a fault changes."""

    checkout: Checkout
    env: dict[str, str] = field(default_factory=dict)

    def run(self, stack: str = STACK) -> tuple[int, dict[str, Any]]:
        """Exit code and report."""
        script = f'eval "$(make -s env STACK={stack} SITE={SITE} 2>/dev/null)"; exec env "$@"'
        command = [".venv/bin/python", "-m", "delivery.preflight", "--stack", stack, "--json"]
        changes = [f"{name}={value}" for name, value in self.env.items()]
        done = self.checkout.run(["bash", "-c", script, "-", *changes, *command])
        return done.code, json.loads(done.text[done.text.index("{\n") :])

    @contextmanager
    def site(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Another site file for the length of a block."""
        folder = self.checkout.folder / "sites-of-a-fault"
        folder.mkdir(exist_ok=True)
        content = yaml.safe_load((self.checkout.folder / "sites" / f"{SITE}.yaml").read_text())
        change(content)
        (folder / f"{SITE}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        with self.variables(HYPERCOMPOSE_SITES=str(folder)):
            yield
        shutil.rmtree(folder)

    @contextmanager
    def variables(self, **changes: str) -> Iterator[None]:
        self.env = changes
        yield
        self.env = {}


def write_settings(checkout: Checkout, stack: str) -> str:
    """A stack of the checkout, whole, with ids and addresses that no other test uses."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text().replace("10.77.", f"{NET}.").replace(".11/24", ".81/24")
    text = text.replace("site: lab\n", f"site: {SITE}\n").replace("site: main\n", f"site: {SITE}\n")
    for old, new in IDS.items():
        text = text.replace(f"first_id: {old}", f"first_id: {new}")
    content = {"config": yaml.safe_load(text)["config"]}
    (checkout.folder / f"Pulumi.pre-{stack}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return f"pre-{stack}"


@pytest.fixture(scope="module")
def preflight(checkout: Checkout) -> Preflight:
    for stack in ("lab", "acceptance", "integration"):
        write_settings(checkout, stack)
    return Preflight(checkout)


def by_name(report: dict[str, Any]) -> Found:
    return {(check["name"], check["subject"].partition("@")[0]): check for check in report["checks"]}


@pytest.mark.parametrize("stack", ["lab", "acceptance", "integration"])
def test_all_is_well_on_a_fresh_site(preflight: Preflight, stack: str) -> None:
    code, report = preflight.run(f"pre-{stack}")
    assert [check for check in report["checks"] if check["status"] != "pass"] == []
    assert code == 0
    assert report["seconds"] < 5
    names = {check["name"] for check in report["checks"]}
    assert names - {"companion"} == {
        *("settings", "secret", "program", "plugin", "disk", "ssh key", "name", "api", "tls", "token", "clock"),
        *("permission", "node", "cores", "memory", "storage", "template", "network", "vm id", "address"),
        *("git", "registry", "image"),
    }
    assert ("companion" in names) == (stack == "lab")


def test_make_prints_the_table_and_makes_no_stack(preflight: Preflight) -> None:
    shutil.copy(preflight.checkout.folder / f"Pulumi.{STACK}.yaml", preflight.checkout.folder / "Pulumi.pre-make.yaml")
    done = preflight.checkout.make("preflight", stack="pre-make")
    assert done.code == 0, done.why
    assert "0 failed, 0 not checked" in done.text
    assert not list((preflight.checkout.folder / ".lab" / "state").rglob("pre-make*"))


def wrong_token(preflight: Preflight) -> AbstractContextManager[None]:
    return preflight.variables(PROXMOX_VE_API_TOKEN="hypercompose@pve!lab=canary-wrong")


def no_bridge(preflight: Preflight) -> AbstractContextManager[None]:
    def change(site: dict[str, Any]) -> None:
        site["proxmox"]["bridges"]["vmbr9"] = site["proxmox"]["bridges"].pop("vmbr0")

    return _with_settings(preflight, preflight.site(change), lambda vm: vm["networks"][0].update(bridge="vmbr9"))


@contextmanager
def strangers_id(preflight: Preflight) -> Iterator[None]:
    api = preflight.checkout.api(preflight.checkout.token("root@pam!lab"))
    api.wait("pve1", api.post("/nodes/pve1/qemu", {"vmid": VM, "name": "somebody-elses", "memory": 512}))
    try:
        yield
    finally:
        api.wait("pve1", api.delete(f"/nodes/pve1/qemu/{VM}"))


@contextmanager
def address_in_use(preflight: Preflight) -> Iterator[None]:
    subprocess.run(["ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "address", "del", f"{ADDRESS}/32", "dev", "lo"], check=True)


def registry_password(preflight: Preflight) -> AbstractContextManager[None]:
    return preflight.variables(HYPERCOMPOSE_REGISTRY_PASSWORD="canary-wrong $(reboot)")


def git_password(preflight: Preflight) -> AbstractContextManager[None]:
    return preflight.variables(HYPERCOMPOSE_GIT_PASSWORD="canary-wrong $(reboot)")


def no_image(preflight: Preflight) -> AbstractContextManager[None]:
    def change(site: dict[str, Any]) -> None:
        lock = preflight.checkout.folder / site["images"]["lock"]
        content = yaml.safe_load(lock.read_text())
        content["images"]["postgres"]["digest"] = f"sha256:{'0' * 64}"
        changed = lock.with_name("lock-of-a-fault.yaml")
        changed.write_text(yaml.safe_dump(content))
        site["images"]["lock"] = str(changed)

    return preflight.site(change)


def no_template(preflight: Preflight) -> AbstractContextManager[None]:
    return preflight.site(lambda site: site["proxmox"]["templates"].update({"rocky-9": {"pve1": 9999, "pve2": 9010}}))


def no_room(preflight: Preflight) -> AbstractContextManager[None]:
    return _with_settings(preflight, contextlib.nullcontext(), lambda vm: vm.update(disk_gib=65536))


def no_api(preflight: Preflight) -> AbstractContextManager[None]:
    return preflight.site(lambda site: site["proxmox"].update(endpoint="https://127.0.0.1:9"))


@contextmanager
def _with_settings(
    preflight: Preflight, besides: AbstractContextManager[None], change: Callable[[dict[str, Any]], Any]
) -> Iterator[None]:
    with preflight.checkout.settings(STACK) as config:
        before = json.loads(json.dumps(config))
        change(config["hypercompose:vms"][0])
    with besides:
        yield
    with preflight.checkout.settings(STACK) as config:
        config.update(before)


SITE_LINES = {"permission", "node", "storage", "template", "network", "vm id"}


@pytest.mark.parametrize(
    ("fault", "subject", "detail", "remedy", "not_checked"),
    [
        (wrong_token, ("token", ""), "the API refuses it", "PROXMOX_VE_API_TOKEN", SITE_LINES),
        (no_bridge, ("network", "vmbr9 on pve1"), "there is bridge-acceptance", "make it on the node", set()),
        (strangers_id, ("vm id", f"{VM} vm-lab-app-1"), "somebody else's VM (somebody-elses)", "first_id", set()),
        (address_in_use, ("address", f"{ADDRESS} vm-lab-app-1"), "a machine answers", "choose a free address", set()),
        (registry_password, ("registry", "login of lab"), "refuses lab", "its password", {"clock", "image"}),
        (no_image, ("image", "hypercompose/postgres"), "for stack guestbook", "make images", set()),
        (no_template, ("template", "9999 on pve1"), "does not exist", "make template", set()),
        (no_room, ("storage", "local-lvm on pve1"), "65536.0 GiB wanted", "free some", set()),
        (git_password, ("git", "read hypercompose/deployments"), "refuses the login", "git_password", {"git"}),
        (no_api, ("api", "https://127.0.0.1:9"), "no answer", "is its address right", {"tls", "token", *SITE_LINES}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_fault_is_named_with_its_remedy_and_everything_else_is_checked(
    preflight: Preflight,
    fault: Callable[[Preflight], AbstractContextManager[None]],
    subject: tuple[str, str],
    detail: str,
    remedy: str,
    not_checked: set[str],
) -> None:
    with fault(preflight):
        code, report = preflight.run()
    found = by_name(report)
    assert code == report["exit_code"] == 1
    assert [key for key, check in found.items() if check["status"] == "fail" and key[0] != "permission"] == [subject]
    assert detail in found[subject]["detail"]
    assert remedy in found[subject]["remedy"]
    assert {name for (name, _), check in found.items() if check["status"] == "not checked"} == not_checked
    assert all(check["detail"].startswith("because ") for check in found.values() if check["status"] == "not checked")
    assert len(found) > 25
    assert report["seconds"] < 15
    assert "canary" not in json.dumps(report)


def test_a_token_that_may_only_look_is_told_all_that_it_lacks(preflight: Preflight) -> None:
    with preflight.variables(PROXMOX_VE_API_TOKEN=preflight.checkout.token("auditor@pve!lab")):
        code, report = preflight.run()
    missing = {check["subject"]: check["detail"] for check in report["checks"] if check["status"] == "fail"}
    assert code == 1
    assert missing["VM.Clone"] == "missing on /vms/9000"
    assert missing["VM.Allocate"] == f"missing on /vms/{VM}"
    assert missing["Datastore.AllocateTemplate"] == "missing on /storage/local"
    assert missing["SDN.Use"] == "missing on /sdn/zones/localnetwork/vmbr0"
    assert "VM.Audit" not in missing


@pytest.mark.soak
def test_all_is_well_again_once_it_is_up(preflight: Preflight) -> None:
    up = preflight.checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    code, report = preflight.run()
    assert [check for check in report["checks"] if check["status"] != "pass"] == []
    assert code == 0
    found = by_name(report)
    assert "this stack's own already" in found["vm id", f"{VM} vm-lab-app-1"]["detail"]
    assert "this stack's own already" in found["address", f"{ADDRESS} vm-lab-app-1"]["detail"]
    gone = preflight.checkout.pulumi("destroy", "--yes", stack=STACK)  # `make down` would stop the lab for others
    assert gone.code == 0, gone.why
