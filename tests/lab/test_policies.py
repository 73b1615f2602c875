"""The rules on a real engine: what the repository declares meets them, what does not is refused in their words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.checkout import NET, ROOT, SITE, Checkout
from tests.policies.cases import GOOD

pytestmark = pytest.mark.lab
OWN = ("acceptance", "dev", "integration", "lab", "test")
STACK = "rules-lab"


def whole(checkout: Checkout, name: str) -> dict[str, Any]:
    """The settings that the repository has for a stack, under ids, names and addresses of this test's own."""
    text = (ROOT / f"Pulumi.{name}.yaml").read_text().replace("10.77.", f"{NET}.").replace(".11/24", ".77/24")
    text = (
        text.replace("first_id: ", "first_id: 5")
        .replace(": vm-", ": vm-rules-")
        .replace("    vm-", "    vm-rules-")
        .replace("site: lab", f"site: {SITE}")
    )
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    return config


def write(checkout: Checkout, stack: str, config: dict[str, Any]) -> None:
    (checkout.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))


def test_the_stacks_of_the_repository_meet_every_mandatory_rule(checkout: Checkout) -> None:
    for name in OWN:
        write(checkout, f"rules-{name}", whole(checkout, name))
    assert checkout.make("lab-up").code == 0  # two at once would both start one that another test has stopped
    with ThreadPoolExecutor(2) as pool:
        for name, done in zip(
            OWN, pool.map(lambda name: checkout.make("preview", stack=f"rules-{name}"), OWN), strict=True
        ):
            assert done.code == 0, f"{name}: {done.text}"
            assert "[mandatory]" not in done.text
            assert "protection: false, expected that a VM can be removed neither in Proxmox nor by Pulumi" in done.text
            assert "ssh_sources: none, which means everybody" in done.text


def test_what_a_mandatory_rule_forbids_ends_the_preview_in_its_words(checkout: Checkout) -> None:
    config = whole(checkout, "lab")
    config["hypercompose:docker"] = {"published": {"all": {"ports": ["2375/tcp"]}}}
    config["hypercompose:stacks"]["bad"] = {
        "inline": yaml.safe_dump({"services": {"web": {**GOOD, "privileged": True}}}),
        "env": {"API_TOKEN": "canary-7f3a", "LEVEL": "info"},
        "secrets": {"DB_PASSWORD": {"variable": True}},
    }
    config["hypercompose:stack_secrets"] = {"bad": {"DB_PASSWORD": "canary-7f3a"}}
    write(checkout, STACK, config)
    refused = checkout.make("preview", stack=STACK)
    assert refused.code != 0
    for line in (
        "inline: services.web.privileged: true, expected that no container is privileged; take `privileged` out",
        "published.all: 2375, which is for Docker's API",
        "published.all.sources: none, which means everybody, expected that whoever may reach a port is named",
        "env.API_TOKEN: not marked as a secret",
        "env.DB_PASSWORD: a secret, expected that secrets reach containers as files",
    ):
        assert line in refused.text, refused.text
    assert refused.text.count("[mandatory]") == 4, refused.text
    policies = refused.text.partition("Policies:")[2]
    assert "canary" not in policies
    assert "env.DB_PASSWORD: not marked" not in refused.text
    write(checkout, STACK, whole(checkout, "lab"))


def test_plain_pulumi_in_a_shell_of_make_env_is_held_to_them_too(checkout: Checkout) -> None:
    config: dict[str, Any] = {"hypercompose:site": SITE, "hypercompose:hosts": [host("rules-plain")]}
    config["hypercompose:baseline"] = {"ssh": {"password_login": True}}
    write(checkout, "rules-plain", config)
    refused = checkout.pulumi("preview", stack="rules-plain")
    assert refused.code != 0
    assert "password_login: true, expected that nobody logs in as root, or by password" in refused.text


def host(name: str) -> dict[str, str]:
    """A server of which a preview needs no answer."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
    return {"name": name, "address": f"{NET}.0.250", "host_key": key}


def test_a_state_that_is_there_already_is_looked_at_without_asking_anybody(checkout: Checkout, tmp_path: Path) -> None:
    stack = "rules-state"
    write(checkout, stack, {"hypercompose:site": SITE})
    assert checkout.make("up", stack=stack).code == 0
    clean = checkout.make("policies", stack=stack)
    assert clean.code == 0, clean.text
    assert f"stack {stack}: no mandatory rule is violated" in clean.text
    export = tmp_path / "state.json"
    assert checkout.pulumi("stack", "export", "--file", str(export), stack=stack).code == 0
    state = json.loads(export.read_text())
    root = next(r["urn"] for r in state["deployment"]["resources"] if r["type"] == "pulumi:pulumi:Stack")
    kind = "hypercompose:host:SshServer"
    urn = f"{root.rpartition('::')[0].removesuffix('pulumi:pulumi:Stack')}{kind}::old"
    found = {"urn": urn, "custom": True, "id": "x", "type": kind, "inputs": {"permit_root_login": "yes"}}
    state["deployment"]["resources"].append(found)
    export.write_text(json.dumps(state))
    assert checkout.pulumi("stack", "import", "--file", str(export), stack=stack).code == 0
    violated = checkout.make("policies", stack=stack)
    assert violated.code != 0
    assert 'permit_root_login: "yes", expected that nobody logs in as root, or by password' in violated.text
    assert checkout.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", stack=stack).code == 0
