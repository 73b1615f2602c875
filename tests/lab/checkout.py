"""A copy of the checkout with a lab of its own, driven by the commands that a person types."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from provisioning.proxmox import Proxmox
from setup.session import Session
from setup.sites import read_site
from tests.dead_runs import claim

ROOT = Path(__file__).resolve().parents[2]
SITE = "lab-e2e"
NET, PORT = "10.96", 18196
TIMEOUT_S = 240


@dataclass(frozen=True)
class OwnLab:
    """A lab beside all others: its site, the first half of its addresses, the port of its API."""

    site: str = SITE
    net: str = NET
    port: int = PORT


E2E = OwnLab()


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    text: str
    """Both streams, as a person saw them."""

    @property
    def why(self) -> str:
        """What an assertion shows: the part in which Pulumi says what went wrong, else the end."""
        diagnostics = re.search(r"^Diagnostics:\n(.*?)(?=^\w+:$|\Z)", self.text, re.DOTALL | re.MULTILINE)
        return (diagnostics[1] if diagnostics else self.text)[-3000:]


@dataclass(frozen=True)
class Checkout:
    """Runs make and pulumi in the copy."""

    folder: Path
    lab: OwnLab = E2E
    variables: Mapping[str, str] = field(default_factory=dict)
    """What is in its environment besides everything that is in ours."""
    timeout_s: float = TIMEOUT_S
    """Of each command."""

    def make(self, target: str, *, stack: str = SITE, args: str = "") -> Done:
        """`make TARGET STACK=… SITE=lab-e2e`."""
        return self.run(["make", "-s", target, f"STACK={stack}", f"SITE={self.lab.site}", f"ARGS={args}"])

    def pulumi(self, *arguments: str, stack: str = SITE, env: dict[str, str] | None = None) -> Done:
        """Plain pulumi after `eval "$(make -s env)"`, without colours."""
        script = f'eval "$(make -s env STACK={stack} SITE={self.lab.site} 2>/dev/null)"; exec env "$@" --color never'
        changes = [f"{name}={value}" for name, value in (env or {}).items()]
        return self.run(["bash", "-c", script, "-", *changes, "pulumi", *arguments, "--stack", stack])

    def preview(self, *arguments: str, stack: str = SITE, env: dict[str, str] | None = None) -> dict[str, str]:
        """What a preview would do: the last part of each URN -> operation, without what stays the same."""
        done = self.pulumi("preview", "--json", *arguments, stack=stack, env=env)
        assert done.code == 0, done.why
        steps = json.loads(done.text[done.text.index("{\n") :])["steps"]
        return {s["urn"].rpartition("::")[2]: s["op"] for s in steps if s["op"] not in ("same", "refresh", "read")}

    def session(self, stack: str = SITE) -> Session:
        """A stack as set-up sees it, without a look for its parts."""
        return Session(stack=stack, site=read_site(self.lab.site, self.folder), parts=(), variables={})

    def hosts(self, stack: str = SITE) -> dict[str, Any]:
        """The stack's `hosts` output."""
        done = self.pulumi("stack", "output", "--json", stack=stack)
        found: dict[str, Any] = json.loads(done.text[done.text.index("{") :])["hosts"]
        return found

    def ssh(self, host: dict[str, Any], command: str) -> Done:
        """A command on a host, accepting nothing but the pinned key."""
        known = self.folder / ".lab" / f"known-{host['address']}"
        known.write_text(f"{host['address']} {host['host_key']}\n")
        options = ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
        key = str(self.folder / ".lab" / "ssh" / "id_ed25519")
        login = f"{host['user']}@{host['address']}"
        return self.run(["ssh", "-i", key, *options, "-o", "ConnectTimeout=5", login, command])

    def api(self, token: str | None = None) -> Proxmox:
        """The lab's API with its own token, as another user of the site would reach it."""
        own = (self.folder / ".lab" / "credentials.env").read_text().partition("PROXMOX_VE_API_TOKEN='")[2]
        return Proxmox(
            f"https://127.0.0.1:{self.lab.port}", token or own.partition("'")[0], str(self.folder / ".lab/tls/ca.crt")
        )

    def vms(self) -> dict[int, str]:
        """VMs of the site that are no templates: id -> name."""
        found = self.api().get("/cluster/resources", type="vm")
        return {int(vm["vmid"]): str(vm.get("name")) for vm in found if not vm.get("template")}

    def write_settings(self, stack: str, **keys: Any) -> None:
        """The whole settings file of a stack; keys are those below `hypercompose:`."""
        content = {"config": {f"hypercompose:{key}": value for key, value in keys.items()}}
        (self.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    @contextlib.contextmanager
    def settings(self, stack: str = SITE) -> Iterator[dict[str, Any]]:
        """The stack's settings file, open for changes; written at the end of the block."""
        file = self.folder / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(file.read_text())
        yield content["config"]
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    def kill_up_when(self, moment: Callable[[str], bool], *, stack: str = SITE, after_s: float = 0) -> str:
        """Start `make up`; kill -9 everything of it `after_s` after `moment` is true of what it had printed."""
        return self.kill_when("up", moment, stack=stack, after_s=after_s)

    def kill_when(self, target: str, moment: Callable[[str], bool], *, stack: str = SITE, after_s: float = 0) -> str:
        """The same with any target; what it had printed."""
        log = self.folder / ".lab" / f"killed-{stack}.log"
        command = ["make", "-s", target, f"STACK={stack}", f"SITE={self.lab.site}"]
        with log.open("wb") as out:
            running = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **self.variables},
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        limit = time.monotonic() + TIMEOUT_S
        while not moment(log.read_text()) and running.poll() is None and time.monotonic() < limit:
            time.sleep(0.05)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(after_s)
        kill_session(running.pid)
        running.wait()
        return log.read_text()

    def token(self, name: str) -> str:
        """Another API token of the lab."""
        secrets = json.loads((self.folder / ".lab" / "proxmox" / "credentials.json").read_text())
        return f"{name}={secrets[name]}"

    @contextlib.contextmanager
    def fault(self, **fault: Any) -> Iterator[None]:
        """Arm a fault of the lab's API for the length of a block."""
        headers = {"X-Lab-Control": (self.folder / ".lab" / "proxmox" / "control").read_text().strip()}
        url, ca = f"https://127.0.0.1:{self.lab.port}/_lab/faults", str(self.folder / ".lab/tls/ca.crt")
        requests.post(url, json=fault, headers=headers, verify=ca, timeout=10).raise_for_status()
        try:
            yield
        finally:
            requests.delete(url, headers=headers, verify=ca, timeout=10).raise_for_status()

    def run(self, command: list[str]) -> Done:
        """Any command, in the copy, with nobody at the keyboard."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout)


def kill_session(session: int) -> None:
    """Kill -9 every process of a session: the engine gives its plugins process groups of their own."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            # after the command's name in parentheses: state, parent, group, session
            if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                os.kill(int(entry.name), signal.SIGKILL)


def copy_checkout(folder: Path, lab: OwnLab = E2E, variables: Mapping[str, str] | None = None) -> Checkout:
    """Copy what git knows or would add, point it at a site of its own; the environment is shared."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    _give_own_site(folder, lab)
    _let_tests_be_short(folder)
    return Checkout(folder, lab, variables or {})


@contextlib.contextmanager
def own_checkout(lab: OwnLab, variables: Mapping[str, str] | None = None) -> Iterator[Checkout]:
    """A copy with a lab that no other test uses: for those who break what all share, such as the site's API."""
    base = Path(tempfile.mkdtemp(prefix=f"hypercompose-{lab.site}-"))
    claim(base)
    found = copy_checkout(base / "checkout", lab, variables)
    try:
        yield found
    finally:
        purged = found.make("lab-purge", stack=lab.site)
        assert purged.code == 0, purged.why
        shutil.rmtree(base)


@contextlib.contextmanager
def own_lab(lab: OwnLab) -> Iterator[Checkout]:
    """The same, and its lab runs."""
    if os.geteuid() != 0:
        pytest.skip("guests need root")
    with own_checkout(lab) as found:
        up = found.make("lab-up", stack=lab.site)
        assert up.code == 0, up.why
        yield found


def _let_tests_be_short(folder: Path) -> None:
    """Tests of other things than the rules say what they need in a line; the rules warn about it."""
    short = ("images-by-digest", "no-sensitive-path", "sources-declared", "vm-with-data-protected")
    common = {
        "stacks": ["apps", "drifting", "gitops", "life", "linked", "odoo", "portainers", "servers", SITE],
        "level": "advisory",
        "until": "2099-12-31",
    }
    waivers = [{"rule": rule, **common, "reason": "stacks of tests, thrown away"} for rule in short]
    (folder / "policies" / "exceptions.yaml").write_text(yaml.safe_dump(waivers))


def _only_vms(file: Path) -> None:
    """Without what is done inside of a VM: tests of that say what they want, all others take seconds less."""
    content = yaml.safe_load(file.read_text())
    for key in ("class", "baseline", "docker", "portainer", "stacks", "links", "hosting"):
        content["config"].pop(f"hypercompose:{key}", None)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def _give_own_site(folder: Path, lab: OwnLab) -> None:
    site = (folder / "sites" / "lab.yaml").read_text()
    changes = {"id: lab\n": f"id: {lab.site}\n", "18006": str(lab.port)}
    for old, new in changes.items():
        site = site.replace(old, new)
    (folder / "sites" / f"{lab.site}.yaml").write_text(site)
    own = (folder / "Pulumi.lab.yaml").read_text().replace("site: lab\n", f"site: {lab.site}\n")
    (folder / f"Pulumi.{lab.site}.yaml").write_text(own)
    for file in (folder / "sites" / f"{lab.site}.yaml", *folder.glob("Pulumi.*.yaml")):
        file.write_text(file.read_text().replace("10.77.", f"{lab.net}."))
    for file in folder.glob("Pulumi.*.yaml"):
        _only_vms(file)
