"""cifs-utils of the lab: its mount.cifs needs no kernel module, only rclone, which is in every guest's tree."""

from __future__ import annotations

from pathlib import Path

from lab.packages.package import Package, place

PROGRAM = Path(__file__).parent / "programs" / "mount.cifs"
_VERSION = "7.4"
_SUMMARY = "Mounts SMB shares (stand-in, by rclone over FUSE)"


def for_dnf(root: Path) -> Package:
    """As an RPM; its tree is made in `root`."""
    _fill(root)
    return Package(name="cifs-utils", version=_VERSION, release="1.el9", summary=_SUMMARY, root=root)


def for_apt(root: Path) -> Package:
    """As a Debian package."""
    _fill(root)
    needs = ("rclone", "fuse3", "python3")
    return Package(
        name="cifs-utils", version=_VERSION, release="1", epoch=2, summary=_SUMMARY, root=root, requires=needs
    )


def _fill(root: Path) -> None:
    place(PROGRAM, root / "usr/sbin/mount.cifs", mode=0o755)
