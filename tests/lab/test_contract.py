"""A client's environment from its first file to its end: made from another, limited, read by others, gone alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.check import checked
from tests.lab.checkout import ROOT, SITE, Checkout

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
CLIENT, VM = "casino-x", "vm-casino-x-app-1"
URNS = Path(__file__).with_name("urns.txt")
EVERYTHING: dict[str, Any] = {
    "class": "base",
    "limits": {},
    "vms": [
        {
            "prefix": "vm-lab-app",
            "first_id": 1700,
            "data_first_id": 1750,
            "networks": [{"bridge": "vmbr0", "address": "10.96.0.71/24"}],
            "data_disks": [{"name": "data", "slot": 1, "size_gib": 1, "mount": "/srv/data"}],
            "commands": [{"name": "greet", "create": "true"}],
            "protection": True,
        },
        {
            "name": "vm-lab-far",
            "first_id": 1710,
            "networks": [{"bridge": "vmbr0", "address": "10.96.0.72/24"}],
            "baseline": None,
        },
    ],
    "portainer": {"sources": ["10.96.0.0/24"], "server": "vm-lab-app-1", "registry_users": ["rita"]},
    "stacks": {
        "guestbook": {
            "project": "guestbook",
            "host": "vm-lab-app-1",
            "ports": {"web": 8080},
            "sources": ["10.96.0.0/24"],
        }
    },
    "links": {
        "app": {
            "host": "vm-lab-app-1",
            "companion": "10.96.0.21",
            "user": "svc-compose",
            "services": {"billing": {"edits": [{"file": "a.json", "at": "/a", "value": "{address}"}]}},
        }
    },
}


def write(checkout: Checkout, stack: str, values: dict[str, Any]) -> None:
    config = {f"hypercompose:{name}": value for name, value in {"site": SITE, **values}.items()}
    (checkout.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))


def planned(checkout: Checkout, stack: str) -> list[dict[str, Any]]:
    """What a preview would make: the new state of each resource."""
    done = checkout.pulumi("preview", "--json", stack=stack)
    assert done.code == 0, done.why
    steps = json.loads(done.text[done.text.index("{\n") :])["steps"]
    return [step["newState"] for step in steps]


def test_a_fresh_environment_has_a_preview_and_no_name_of_it_was_changed_without_an_alias(checkout: Checkout) -> None:
    write(checkout, "everything", EVERYTHING)
    states = planned(checkout, "everything")
    now = {state["urn"].partition("::")[2] for state in states}
    aliased = {alias.partition("::")[2] for state in states for alias in state.get("aliases") or ()}
    frozen = set(URNS.read_text().split())
    assert frozen - now - aliased == set(), "renamed or gone: a stack's resource would be deleted; give it an alias"
    assert now <= frozen, "new: add these lines to {}:\n{}".format(URNS.name, "\n".join(sorted(now - frozen)))


def test_a_client_is_made_from_another_environment(checkout: Checkout) -> None:
    line = [
        "make",
        "-s",
        "new-stack",
        f"NAME={CLIENT}",
        "FROM=acceptance",
        f"SITE={SITE}",
        "CLASS=client",
        "BRIDGE=bridge-test",
    ]
    done = checkout.run(line)
    assert done.code == 0, done.text
    assert VM[:-2] in done.text
    again = checkout.run(line)
    assert again.code != 0
    assert f"Pulumi.{CLIENT}.yaml is there already" in again.text
    up = checkout.make("up", stack=CLIENT)
    assert up.code == 0, up.why
    assert "slowest of" in up.text
    assert f"{VM}-vm (VmLegacy)" in up.text
    assert checkout.preview(stack=CLIENT) == {}


def test_its_outputs_keep_the_contract(checkout: Checkout) -> None:
    done = checkout.pulumi("stack", "output", "--json", stack=CLIENT)
    found = checked(json.loads(done.text[done.text.index("{\n") :]))
    assert found.environment == CLIENT
    assert found.hosts[VM].os == "linux"


@pytest.mark.parametrize(
    ("form", "said"), [("json", '"ssh-ed25519 '), ("env", "_ADDRESS="), ("ansible", "ansible_host:"), ("md", "| `vm-")]
)
def test_they_are_told_in_every_form(checkout: Checkout, form: str, said: str) -> None:
    done = checkout.run(["make", "-s", "outputs", f"STACK={CLIENT}", f"SITE={SITE}", f"FORMAT={form}"])
    assert done.code == 0, done.why
    assert said in done.text


def test_another_program_reads_them_by_a_stack_reference(checkout: Checkout, tmp_path: Path) -> None:
    reader = tmp_path / "reader"
    reader.mkdir()
    for file in (ROOT / "docs" / "examples" / "reader").iterdir():
        (reader / file.name).write_text(file.read_text())
    (reader / "venv").symlink_to(ROOT / ".venv")
    settings = {"config": {"reader:environment": f"organization/hypercompose/{CLIENT}"}}
    (reader / "Pulumi.r.yaml").write_text(yaml.safe_dump(settings))
    script = f"""
        eval "$(make -s env STACK={CLIENT} SITE={SITE} 2>/dev/null)"
        unset PULUMI_OPTION_CONFIG_FILE PULUMI_OPTION_POLICY_PACK; cd {reader}
        pulumi stack init r >/dev/null 2>&1 && pulumi up --stack r --yes --skip-preview --color never >&2 &&
        pulumi stack output --json --stack r; code=$?
        pulumi destroy --stack r --yes --skip-preview >&2; pulumi stack rm r --yes --force >&2; exit $code
    """
    done = checkout.run(["bash", "-c", script])
    assert done.code == 0, done.text
    assert f'"{VM}": "10.96.40.' in done.text


def test_what_it_holds_on_to_is_not_deleted_by_plain_pulumi_unless_the_commit_says_so(checkout: Checkout) -> None:
    with checkout.settings(CLIENT) as config:
        config["hypercompose:vms"][0]["count"] = 0
    for command in ("preview", "up"):
        refused = checkout.pulumi(command, *(["--yes", "--skip-preview"] if command == "up" else []), stack=CLIENT)
        assert refused.code != 0
        assert f"vm {VM} would be deleted" in refused.text
    assert VM in checkout.vms().values()
    gone = checkout.pulumi("destroy", "--yes", stack=CLIENT)
    assert gone.code != 0
    assert "protected" in gone.text
    down = checkout.make("down", stack=CLIENT)
    assert down.code != 0
    assert 'say `hypercompose:limits: {allow: ["*"]}`' in down.text
    assert VM in checkout.vms().values()


def test_all_stacks_are_listed_with_what_their_states_say(checkout: Checkout) -> None:
    done = checkout.run(["make", "-s", "stacks", f"SITE={SITE}", "ARGS=--json"])
    assert done.code == 0, done.text
    lines = {line["stack"]: line for line in json.loads(done.text[done.text.index("[\n") :])}
    assert lines[CLIENT]["environment_class"] == "client"
    assert lines[CLIENT]["version"] != "-"
    assert lines["everything"]["version"] == "-"


def test_it_goes_where_its_commit_says_so(checkout: Checkout) -> None:
    with checkout.settings(CLIENT) as config:
        config["hypercompose:vms"][0]["count"] = 0
        config["hypercompose:limits"] = {"allow": ["*"]}
    up = checkout.make("up", stack=CLIENT)
    assert up.code == 0, up.why
    assert VM not in checkout.vms().values()
    destroyed = checkout.pulumi("destroy", "--yes", "--skip-preview", stack=CLIENT)  # `make down` may stop the lab
    assert destroyed.code == 0, destroyed.why
