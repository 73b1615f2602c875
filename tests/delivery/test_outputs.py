"""`make outputs`: every format, with hostile names, without secrets."""

from __future__ import annotations

import io
import json
import subprocess
from typing import Any

import pytest
import yaml

from delivery.outputs import FORMATS, main
from tests.contract.examples import outputs

KNOWN = "/home/me/known hosts"
HOSTILE = "srv $(reboot)`id`'\"|<script>@all"


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str, **changes: Any) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(outputs(**changes))))
    assert main(["--format", form, "--known-hosts", KNOWN]) == 0
    return capsys.readouterr().out


def hostile() -> dict[str, Any]:
    found = outputs()
    found["hosts"] = {HOSTILE: found["hosts"]["vm-lab-app-1"]}
    found["stacks"]["guestbook"]["host"] = HOSTILE
    found["stacks"]["guestbook"]["urls"] = {"web": "http://x/$(touch /tmp/ran)"}
    return found


def test_json_is_the_contract_with_whole_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(printed(capsys, monkeypatch, "json"))
    assert found["hosts"]["vm-lab-app-1"]["port"] == 22
    assert found["stacks"]["guestbook"]["digests"] == outputs()["stacks"]["guestbook"]["digests"]


def test_a_shell_takes_the_values_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(capsys, monkeypatch, "env", **hostile())
    script = f'{text}\nprintf %s "$HYPERCOMPOSE_STACK_GUESTBOOK_URL_WEB"'
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "http://x/$(touch /tmp/ran)"


def test_ansible_gets_an_inventory_that_trusts_the_pinned_key_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = yaml.safe_load(printed(capsys, monkeypatch, "ansible", **hostile()))
    group = inventory["all"]["children"]["lab_lab"]
    host = group["hosts"][HOSTILE]
    assert host["ansible_host"] == "10.77.0.11"
    assert host["ansible_ssh_common_args"] == f"-o 'UserKnownHostsFile={KNOWN}' -o StrictHostKeyChecking=yes"
    assert host["hypercompose_stacks"] == ["guestbook"]
    assert group["vars"] == {"hypercompose_site": "lab", "hypercompose_environment": "lab"}


def test_markdown_keeps_names_in_their_cells(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(capsys, monkeypatch, "md", **hostile()).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in rows[:3]} == {6}
    assert "<script>" not in "".join(lines)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_secret_is_in_no_format_unless_it_was_hidden_already(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outputs()
    found["portainers"]["vm-lab-app-1"]["password"] = "Canary-password"
    text = printed(capsys, monkeypatch, form, **found)
    assert "Canary-password" not in text


def test_outputs_that_do_not_keep_the_contract_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"site": "lab"})))
    assert main(["--format", "json"]) == 1
    assert "hosts: field required" in capsys.readouterr().err
