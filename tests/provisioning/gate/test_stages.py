"""Replicas that wait for each other: which releases come before the release."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from provisioning.gate.candidate import Candidate
from provisioning.gate.stages import stages
from provisioning.gate.state import Version


def release(word: str, *names: str, **more: Any) -> Candidate:
    services = {name: {"image": f"r/{name}:{word}", "networks": {"inner": None}} for name in names}
    content = {"services": services, "networks": {"inner": {}}, "x-rolling": ["a", "b", "c"], **more}
    version = Version(
        commit=word,
        author="",
        subject="",
        key=word,
        release="",
        images={name: f"r/{name}:{word}" for name in names},
        marks={name: f"{name}-{word}" for name in names},
        scales=dict.fromkeys(names, 1),
        tags={},
        by="",
    )
    return Candidate(version, f"# Release of {word}\n{json.dumps(content)}\n")


def found(new: Candidate, old: Candidate) -> list[dict[str, str]]:
    return [dict(stage.version.marks) for stage in stages(new, old.version, old.text)]


def test_one_after_the_other_until_the_last_which_is_the_release() -> None:
    old, new = release("one", "a", "b", "c"), release("two", "a", "b", "c")
    assert found(new, old) == [
        {"a": "a-two", "b": "b-one", "c": "c-one"},
        {"a": "a-two", "b": "b-two", "c": "c-one"},
    ]
    first = next(stages(new, old.version, old.text))
    content = json.loads(first.text)["services"]
    assert [content[name]["image"] for name in "abc"] == ["r/a:two", "r/b:one", "r/c:one"]
    assert first.version.images["b"] == "r/b:one"


def test_what_does_not_change_or_is_new_waits_for_nobody() -> None:
    old, new = release("one", "a", "b"), release("two", "a", "b", "c")
    assert found(new, old) == [{"a": "a-two", "b": "b-one", "c": "c-two"}]
    same = Candidate(replace(new.version, marks={**new.version.marks, "a": "a-one"}), new.text)
    assert found(same, old) == []


def test_an_old_service_that_refers_to_what_is_gone_cannot_wait() -> None:
    old, new = release("one", "a", "b"), release("two", "a", "b", networks={"other": {}})
    assert found(new, old) == []
