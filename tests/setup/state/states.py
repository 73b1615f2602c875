"""States as the engine writes them, small and sound, and where they lie."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from setup.session import Session
from setup.sites import Site

ENGINE = "v3.259.0"
SALT = "v1:KSmU36QKSiU=:v1:x3SyySPISgbn1OJI:xTqUsUnA141JMkGKjpwLbXt7wnmU4Q=="
"""Of the passphrase `lab`, as the engine made it."""


def urn(name: str, kind: str = "a:b:C", stack: str = "lab", project: str = "hypercompose") -> str:
    return f"urn:pulumi:{stack}::{project}::{kind}::{name}"


def resource(stack: str = "lab", name: str = "one", kind: str = "a:b:C", **more: Any) -> dict[str, Any]:
    return {"urn": urn(name, kind, stack), "type": kind, "custom": False, **more}


def claim(site: str, stack: str = "lab") -> dict[str, Any]:
    kind = "hypercompose:site:Claim"
    return resource(stack, "site-claim", kind, custom=True, id=site, outputs={"siteId": site})


def deployment(at: str = "2026-11-25T12:00:00.5Z", **parts: Any) -> dict[str, Any]:
    magic = hashlib.sha256(ENGINE.encode()).hexdigest()
    providers = {"type": "passphrase", "state": {"salt": SALT}}
    return {"manifest": {"time": at, "magic": magic, "version": ENGINE}, "secrets_providers": providers, **parts}


def export(**parts: Any) -> str:
    """What `pulumi stack export` prints."""
    return json.dumps({"version": 3, "deployment": deployment(**parts)})


def kept(stack: str = "lab", **parts: Any) -> bytes:
    """What the engine keeps."""
    name = f"organization/hypercompose/{stack}"
    return json.dumps({"version": 3, "checkpoint": {"stack": name, "latest": deployment(**parts)}}).encode()


def state_folder(session: Session) -> Path:
    return Path(session.site.backend.removeprefix("file://"))


def put_state(folder: Path, stack: str, **parts: Any) -> Path:
    """A state in a folder."""
    return put_bytes(folder, stack, kept(stack, **parts))


def put_bytes(folder: Path, stack: str, content: bytes) -> Path:
    file = folder / ".pulumi" / "stacks" / "hypercompose" / f"{stack}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def lab_session(folder: Path, stack: str = "lab", backend: str | None = None) -> Session:
    """A stack on a lab whose everything is below the folder."""
    site = Site(
        id="lab",
        file=folder / "lab.yaml",
        folder=folder / ".lab",
        backend=backend or f"file://{folder}/state",
        passphrase="lab",
        credentials=None,
    )
    return Session(stack=stack, site=site, parts=(), variables={})
