"""Environments side by side, and everything that must not be mixed up."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.lab.checkout import Checkout

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
STACKS = ("acceptance", "integration")


@pytest.fixture(scope="module")
def environments(checkout: Checkout) -> dict[str, dict[str, Any]]:
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda stack: checkout.make("up", stack=stack), STACKS):
            assert done.code == 0, done.why
    return {stack: checkout.hosts(stack)[f"vm-{stack}-app-1"] for stack in STACKS}


def test_each_is_on_its_own_bridge_with_its_own_memory(
    checkout: Checkout, environments: dict[str, dict[str, Any]]
) -> None:
    for stack, memory in (("acceptance", "4096"), ("integration", "3072")):
        config = checkout.api().get(f"/nodes/pve1/qemu/{environments[stack]['vm_id']:.0f}/config")
        assert f"bridge=bridge-{stack}" in config["net0"]
        assert config["memory"] == memory


def test_they_cannot_reach_each_other(checkout: Checkout, environments: dict[str, dict[str, Any]]) -> None:
    for here, there in (STACKS, STACKS[::-1]):
        probe = f"timeout 2 bash -c '</dev/tcp/{environments[there]['address']}/22' 2>/dev/null && echo reached"
        assert "reached" not in checkout.ssh(environments[here], probe).text


def test_the_real_settings_and_the_real_state_are_not_touched(
    checkout: Checkout, environments: dict[str, dict[str, Any]]
) -> None:
    for stack in STACKS:
        text = (checkout.folder / f"Pulumi.{stack}.yaml").read_text()
        assert "encryptionsalt" not in text
        assert "hypercompose:site: main" in text


def test_a_state_refuses_another_site(checkout: Checkout, environments: dict[str, dict[str, Any]]) -> None:
    site = (checkout.folder / "sites" / "lab-e2e.yaml").read_text()
    (checkout.folder / "sites" / "lab-other.yaml").write_text(site.replace("id: lab-e2e", "id: lab-other"))
    refused = checkout.pulumi("preview", stack="acceptance", env={"HYPERCOMPOSE_SITE": "lab-other"})
    assert refused.code != 0
    assert "this state belongs to site 'lab-e2e', but this run is for site 'lab-other'" in refused.text


def test_both_go_away_without_the_other(checkout: Checkout, environments: dict[str, dict[str, Any]]) -> None:
    down = checkout.make("down", stack="acceptance")
    assert down.code == 0, down.why
    left = set(checkout.vms().values())
    assert "vm-acceptance-app-1" not in left
    assert "vm-integration-app-1" in left
