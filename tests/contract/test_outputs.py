"""The contract: what fits it, what does not, and what a change of it would take away."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contract.check import ContractError, checked
from contract.compatible import breaking
from contract.outputs import VERSION, schema
from contract.schema import PRESENT, RELEASED, text
from tests.contract.examples import outputs

Change = Callable[[dict[str, Any]], Any]


def test_outputs_of_a_stack_keep_it() -> None:
    found = checked(outputs())
    assert found.hosts["vm-lab-app-1"].vm_id == 1100
    assert found.stacks["guestbook"].ports == {"web": 8080}


def test_the_schema_accepts_what_the_types_accept() -> None:
    assert list(Draft202012Validator(schema()).iter_errors(outputs())) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda o: o.pop("site"), "site"),
        (lambda o: o.update(more=1), "more"),
        (lambda o: o["hosts"]["vm-lab-app-1"].pop("host_key"), "hosts.vm-lab-app-1.host_key"),
        (lambda o: o["hosts"]["vm-lab-app-1"].update(host_key="$(reboot)"), "hosts.vm-lab-app-1.host_key"),
        (lambda o: o["hosts"]["vm-lab-app-1"].update(port=70000), "hosts.vm-lab-app-1.port"),
        (lambda o: o["hosts"]["vm-lab-app-1"].update(vm_id="1100"), "hosts.vm-lab-app-1.vm_id"),
        (lambda o: o["portainers"]["vm-lab-app-1"].update(url="http://x"), "portainers.vm-lab-app-1.url"),
        (lambda o: o["stacks"]["guestbook"]["digests"].update(web="sha256:short"), "stacks.guestbook.digests.web"),
        (lambda o: o["stacks"]["guestbook"].update(commit=None), "stacks.guestbook.commit"),
    ],
)
def test_what_breaks_it_is_named_by_path_and_never_by_value(change: Change, where: str) -> None:
    broken = outputs()
    broken["portainers"]["vm-lab-app-1"]["password"] = "Canary-password"
    change(broken)
    with pytest.raises(ContractError, match=where) as refused:
        checked(broken)
    assert "Canary" not in str(refused.value)
    assert list(Draft202012Validator(schema()).iter_errors(broken))


def test_the_present_schema_is_in_the_repository_and_its_version_is_released_as_it_is() -> None:
    assert PRESENT.read_text() == text(), "run `make docs`"
    released = RELEASED / f"{VERSION}.json"
    assert released.is_file(), f"{VERSION} is not released: run `python -m contract.schema release`"
    assert released.read_text() == text(), "it changed: raise VERSION, then `python -m contract.schema release`"


def test_no_field_of_a_released_version_is_lost_within_its_major_version() -> None:
    present = json.loads(text())
    for file in sorted(RELEASED.glob(f"{VERSION.partition('.')[0]}.*.json")):
        assert breaking(json.loads(file.read_text()), present) == [], f"{file.stem}: raise the major version instead"


def _host(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"]["HostTold"]
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["properties"].pop("stacks"), "stacks: was removed"),
        (lambda s: _host(s)["properties"].pop("address"), "hosts.*.address: was removed"),
        (lambda s: _host(s)["properties"]["port"].update(type="string"), "hosts.*.port: was integer, is string"),
        (lambda s: _host(s)["required"].remove("user"), "hosts.*.user: was always there, is optional"),
        (lambda s: s["properties"]["links"].update(type="array"), "links: was object, is array"),
        (lambda s: _host(s)["properties"]["os"]["enum"].append("plan9"), "hosts.*.os: may be ['plan9'] now"),
        (lambda s: s["properties"]["contract"].update(pattern="x"), "contract: pattern was"),
    ],
)
def test_what_a_reader_would_lose_is_breaking(change: Change, said: str) -> None:
    new = copy.deepcopy(schema())
    change(new)
    assert any(line.startswith(said) for line in breaking(schema(), new))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["properties"].update(more={"type": "string"}),
        lambda s: _host(s)["properties"].update(more={"type": "string"}),
        lambda s: _host(s)["required"].append("vm_id"),
        lambda s: _host(s).update(description="said better"),
    ],
)
def test_what_is_only_added_is_not_breaking(change: Change) -> None:
    new = copy.deepcopy(schema())
    change(new)
    assert breaking(schema(), new) == []
