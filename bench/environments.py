"""`python -m bench.environments [COUNT]`: how long the commands over all environments take with that many of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from setup.places import CHECKOUT

LEFT_OUT = shutil.ignore_patterns(".venv", ".lab", ".git", "tests", "docs", ".*_cache", "__pycache__", ".hypothesis")
RESOURCES = 45
"""Of a stack with Docker, Portainer and one application; what one of them takes in a checkpoint, in bytes."""
SIZE = 2500


def main(count: int) -> None:
    """Make a checkout with so many stacks, each with a state, then run each command twice and tell the second time."""
    with tempfile.TemporaryDirectory(prefix="bench-environments-") as folder:
        checkout = Path(folder) / "checkout"
        shutil.copytree(CHECKOUT, checkout, ignore=LEFT_OUT)
        (checkout / ".venv").symlink_to(CHECKOUT / ".venv")
        _fill(checkout, Path(folder) / "state", count)
        for line in (
            ["stacks"],
            ["matrix"],
            ["diff", "A=acceptance", "B=client-7"],
            ["new-stack", "NAME=one-more", "FROM=acceptance"],
        ):
            print(f"make {line[0]}: {_second_run(checkout, line):.2f} s at {count} stacks")


def _fill(checkout: Path, state: Path, count: int) -> None:
    site = (checkout / "sites" / "main.yaml").read_text()
    (checkout / "sites" / "main.yaml").write_text(
        site.replace("file://~/.local/state/hypercompose/main", f"file://{state}")
    )
    content = yaml.safe_load((checkout / "Pulumi.acceptance.yaml").read_text())
    folder = state / ".pulumi" / "stacks" / "hypercompose"
    folder.mkdir(parents=True)
    for number in range(count - len(list(checkout.glob("Pulumi.*.yaml")))):
        name = f"client-{number}"
        group = content["config"]["hypercompose:vms"][0]
        group |= {"prefix": f"vm-{name}", "first_id": 10000 + number * 10}
        group["networks"][0] |= {"address": f"10.77.{10 + number // 250}.{number % 250 + 2}/24"}
        (checkout / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(content))
        (folder / f"{name}.json").write_text(_checkpoint(name))


def _checkpoint(name: str) -> str:
    own = {
        "urn": f"urn:pulumi:{name}::hypercompose::pulumi:pulumi:Stack::hypercompose-{name}",
        "type": "pulumi:pulumi:Stack",
    }
    rest = ({"urn": f"{own['urn']}-{n}", "type": "x:y:Z", "outputs": {"text": "x" * SIZE}} for n in range(RESOURCES))
    outputs = {"program": {"version": "0.1.0"}, "hosts": {}, "stacks": {}}
    latest = {"manifest": {"time": "2026-11-25T12:00:00Z"}, "resources": [{**own, "outputs": outputs}, *rest]}
    return json.dumps({"version": 3, "checkpoint": {"stack": name, "latest": latest}})


def _second_run(checkout: Path, line: list[str]) -> float:
    env = {**os.environ, "HYPERCOMPOSE_ENVIRONMENTS": str(checkout / "environments")}
    for _ in range(2):
        for made in checkout.glob("Pulumi.one-more.yaml"):
            made.unlink()
        start = time.monotonic()
        subprocess.run(["make", "-s", *line], cwd=checkout, env=env, stdout=subprocess.DEVNULL, check=True)
        took = time.monotonic() - start
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 320)
