"""The swap step in a folder, with stand-ins for what would touch this machine's own swap."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from provisioning.steps.kinds import BY_NAME
from provisioning.steps.step import assignments, shell

OTHER = "/dev/dm-1 partition 1048572 0 -2\n"
STAND_INS = """
say() { echo "$*" >>said; }
mkswap() { say mkswap "$(stat -c %a "$2")"; }
swapoff() { say swapoff "$1"; [ "$1" = "$file" ] && sed -i "\\\\,^$file ,d" "$swaps"; }
systemctl() {
    say systemctl "$@"
    case $1 in
        start) grep -q "^$file " "$swaps" || echo "$file file 4092 0 -3" >>"$swaps" ;;
        is-enabled) if [ -e "$unit_file" ]; then echo enabled; else return 1; fi ;;
    esac
}
stat() { if [ "$1" = -f ]; then echo "$filesystem"; else command stat "$@"; fi; }
df() { printf 'Avail\\n%s\\n' "$free_mib"; }
chown() { :; }
"""


class Machine:
    """A folder that is the root of a host."""

    def __init__(self, root: Path) -> None:
        self.root, self.filesystem, self.free_mib = root, "ext2/ext3", 9000
        self.file, self.swaps = root / "swapfile-hypercompose", root / "swaps"
        self.swaps.write_text(OTHER)

    def run(self, what: str, size_mib: int) -> str:
        """What one of the step's functions printed. Raises CalledProcessError."""
        step = BY_NAME["Swap"].step("swap", {"size_mib": size_mib})
        places = {"/swapfile-": f"{self.root}/swapfile-", "/proc/swaps": str(self.swaps), "/etc/": f"{self.root}/etc/"}
        script = step.script
        for path, here in places.items():
            script = script.replace(f"={path}", f"={here}")
        given: dict[str, Any] = {"step": "swap", **step.values}
        given |= {"filesystem": self.filesystem, "free_mib": self.free_mib}
        ours = f"ours={self.root}/ours before=$ours/before/swap"
        program = "\n".join([*assignments(given), shell("prelude.sh"), ours, script, STAND_INS, what])
        done = subprocess.run(["bash", "-c", program], cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise subprocess.SubprocessError(done.stderr)
        return done.stdout

    def said(self) -> str:
        """What the stand-ins were told since the last time."""
        file = self.root / "said"
        text = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return text


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_swap_file_comes_changes_its_size_and_goes(machine: Machine) -> None:
    machine.run("apply", 2)
    assert machine.run("check", 2) == "size_mib\t:=\t2\nswap\t:=\ton\n"
    assert machine.file.stat().st_mode & 0o777 == 0o600
    assert "mkswap 600" in machine.said()
    machine.run("apply", 3)
    assert machine.run("check", 3) == "size_mib\t:=\t3\nswap\t:=\ton\n"
    assert f"swapoff {machine.file}" in machine.said()
    machine.run("apply", 0)
    assert machine.run("check", 0) == "size_mib\t:=\t0\nswap\t:=\toff\n"
    machine.run("revert", 0)
    assert sorted(path.name for path in machine.root.iterdir() if path.name not in ("said", "ours")) == ["swaps"]
    assert machine.swaps.read_text() == OTHER


def test_only_our_file_is_ever_switched_off(machine: Machine) -> None:
    for what, size in (("apply", 2), ("apply", 3), ("revert", 3), ("revert", 3), ("apply", 0)):
        machine.run(what, size)
        assert machine.swaps.read_text().startswith(OTHER)
    switched = {line for line in machine.said().splitlines() if line.startswith("swapoff")}
    assert switched == {f"swapoff {machine.file}"}


def test_a_mode_that_others_can_read_is_healed_without_switching_off(machine: Machine) -> None:
    machine.run("apply", 2)
    machine.file.chmod(0o644)
    assert "on, mode 644:0" in machine.run("check", 2)
    machine.said()
    machine.run("apply", 2)
    assert "swapoff" not in machine.said()
    assert "\ton\n" in machine.run("check", 2)


@pytest.mark.parametrize("filesystem", ["btrfs", "overlayfs", "tmpfs"])
def test_a_filesystem_that_takes_no_swap_file_is_named(machine: Machine, filesystem: str) -> None:
    machine.filesystem = filesystem
    with pytest.raises(subprocess.SubprocessError, match=f"the root filesystem \\({filesystem}\\) takes no swap file"):
        machine.run("apply", 2)
    assert not machine.file.exists()


def test_a_disk_is_not_filled(machine: Machine) -> None:
    machine.free_mib = 513
    with pytest.raises(subprocess.SubprocessError, match="/ has 513 MiB free, too little"):
        machine.run("apply", 2)
