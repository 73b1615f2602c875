"""Firewall options and rules of the cluster and of VMs. Kept and shown; nothing is filtered."""

from __future__ import annotations

from lab.pve.errors import invalid
from lab.pve.properties import words
from lab.pve.routing import Call, Need, needs, route
from lab.pve.state import Record


def _place(call: Call) -> str:
    return f"/vms/{call.vm.vmid}" if "vmid" in call.names else "/"


def _rules(call: Call) -> list[Record]:
    return call.cluster.state.firewall_rules.setdefault(_place(call), [])


def _options(call: Call) -> Record:
    return call.cluster.state.firewall_options.setdefault(_place(call), {})


def _rule(call: Call) -> tuple[list[Record], int]:
    rules, position = _rules(call), int(call.names["pos"])
    if position >= len(rules):
        raise invalid(pos=f"no rule at position {position}")
    return rules, position


def _typed(call: Call, *control: str) -> Record:
    kept = {key: text for key, text in call.params.items() if key not in (*control, "digest", "delete")}
    return {key: int(text) if text in ("0", "1") else text for key, text in kept.items()}


def _change(call: Call, target: Record, *control: str) -> None:
    for key in words(call.params.get("delete", "")):
        target.pop(key, None)
    target |= _typed(call, *control)


def _register(base: str, read: Need, write: Need) -> None:
    @route("GET", f"{base}/options", read)
    async def options(call: Call) -> object:
        return _options(call)

    @route("PUT", f"{base}/options", write)
    async def set_options(call: Call) -> object:
        _change(call, _options(call))
        return None

    @route("GET", f"{base}/rules", read)
    async def rules(call: Call) -> object:
        return [rule | {"pos": position} for position, rule in enumerate(_rules(call))]

    @route("POST", f"{base}/rules", write)
    async def add(call: Call) -> object:
        _rules(call).insert(call.params.number("pos", 0, minimum=0), _typed(call, "pos"))
        return None

    @route("GET", f"{base}/rules/{{pos}}", read)
    async def rule(call: Call) -> object:
        found, position = _rule(call)
        return found[position] | {"pos": str(position)}

    @route("PUT", f"{base}/rules/{{pos}}", write)
    async def change(call: Call) -> object:
        found, position = _rule(call)
        if "moveto" in call.params:
            moved, to = found.pop(position), call.params.number("moveto", minimum=0)
            found.insert(to - 1 if to > position else to, moved)
        else:
            _change(call, found[position], "pos")
        return None

    @route("DELETE", f"{base}/rules/{{pos}}", write)
    async def delete(call: Call) -> object:
        found, position = _rule(call)
        del found[position]
        return None


_register("/cluster/firewall", needs("/", "Sys.Audit"), needs("/", "Sys.Modify"))
_register(
    "/nodes/{node}/qemu/{vmid}/firewall",
    needs("/vms/{vmid}", "VM.Audit"),
    needs("/vms/{vmid}", "VM.Config.Network"),
)
