"""A release in several stages: replicas that a proxy stands before are replaced one after the other.

Compose replaces services together, and stops those that depend on another one while that is replaced (measured), so no
order in a file keeps one of two replicas up. `x-rolling: [a, b]` in the compose file names the services that wait for
each other: the first stage has a new `a` and the old `b`, the last one is the release.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from provisioning.gate.candidate import ROLLING, Candidate
from provisioning.gate.state import Version


def stages(candidate: Candidate, old: Version, old_text: str) -> Iterator[Candidate]:
    """What is released before the candidate itself, first things first; nothing where nothing has to wait."""
    new, before = _content(candidate.text), _content(old_text)
    waiting = [name for name in new.get(ROLLING) or () if _differs(name, candidate.version, old)]
    for first in range(1, len(waiting)):
        held = {name: before["services"][name] for name in waiting[first:]}
        if all(_fits(service, new) for service in held.values()):
            text = json.dumps({**new, "services": {**new["services"], **held}}, indent=2, ensure_ascii=False)
            version = candidate.version
            kept = replace(
                version,
                marks={**version.marks, **{name: old.marks[name] for name in held}},
                images={**version.images, **{name: old.images[name] for name in held}},
                scales={**version.scales, **{name: old.scales[name] for name in held}},
            )
            yield Candidate(kept, text + "\n")


def _differs(name: str, new: Version, old: Version) -> bool:
    return name in old.marks and name in new.marks and new.marks[name] != old.marks[name]


def _fits(service: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether all that an old service refers to is there in the new file."""
    networks, services = content.get("networks") or {}, content["services"]
    kinds = ("configs", "secrets")
    sources = [(kind, entry["source"]) for kind in kinds for entry in service.get(kind) or ()]
    sources += [("volumes", entry["source"]) for entry in service.get("volumes") or () if entry.get("type") == "volume"]
    return (
        all(name in networks for name in service.get("networks") or ())
        and all(name in services for name in service.get("depends_on") or ())
        and all(source in (content.get(kind) or {}) for kind, source in sources)
    )


def _content(text: str) -> dict[str, Any]:
    """A release without its first line, which is a comment."""
    found: dict[str, Any] = json.loads(text[text.index("{") :])
    return found
