"""An engine that records: every registration with its inputs and options, outputs as the real providers give them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks

OUTPUTS: dict[str, dict[str, Any]] = {
    "hypercompose:proxmox:VmClaim": {"nonce": "0123abcd"},
    "hypercompose:proxmox:Seed": {"fileId": "local:iso/seed.iso", "hostKey": "ecdsa-sha2-nistp256 ONE"},
    "hypercompose:host:Ready": {"hostKey": "ssh-ed25519 FINAL"},
    "hypercompose:host:AgentKey": {"hostKey": "ssh-ed25519 AGENT"},
}


@dataclass
class Recording(mocks.Mocks):
    """The registrations of one run, by name."""

    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.inputs[args.name], self.types[args.name] = dict(args.inputs), args.typ
        outputs = {**args.inputs, **OUTPUTS.get(args.typ, {})}
        if args.typ == "hypercompose:host:HostKey":
            outputs["address"] = args.inputs["host"]
        if args.typ.endswith("VmLegacy"):
            disks = [
                {**d, "pathInDatastore": f"vm-{args.inputs['vmId']:.0f}-{d['interface']}"} for d in outputs["disks"]
            ]
            outputs |= {"disks": disks, "macAddresses": [], "ipv4Addresses": []}
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"unexpected call {args.token}")


class _Monitor(mocks.MockMonitor):
    """Keeps the whole request as well: options are not among a mock's arguments."""

    mocks: Recording

    def RegisterResource(self, request: Any) -> Any:
        self.mocks.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def record(program: Callable[[], Any]) -> tuple[Recording, Any]:
    """Run a program against the recording engine until everything has been registered."""
    recording = Recording()
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(recording, project="hypercompose", stack="dev", preview=False, monitor=_Monitor(recording))
    found: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        found.append(program())
        return pulumi.Output.from_input(found[0]).apply(lambda value: found.append(value))

    run()
    return recording, found[-1]
