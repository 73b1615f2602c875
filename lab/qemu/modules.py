"""Kernel modules of the initramfs: what the root disk and the network need, in the order in which they load."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

WANTED = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "ext4")


def needed(dependencies: str, wanted: tuple[str, ...] = WANTED) -> list[str]:
    """Paths from the text of modules.dep, each after what it needs; what the kernel has built in is not there."""
    known = {path: after.split() for path, _, after in (line.partition(":") for line in dependencies.splitlines())}
    by_name = {module_name(path): path for path in known}
    order: dict[str, None] = {}
    for name in wanted:
        if name in by_name:
            _add(by_name[name], known, order)
    return list(order)


def module_name(path: str) -> str:
    """`kernel/net/core/failover.ko.xz` is `failover`; the kernel takes a dash for an underscore."""
    return Path(path).name.partition(".")[0].replace("-", "_")


def packed_modules(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and plain content of each module that is needed, from a kernel's folder of modules."""
    for path in needed((folder / "modules.dep").read_text()):
        content = (folder / path).read_bytes()
        yield f"{module_name(path)}.ko", lzma.decompress(content) if path.endswith(".xz") else content


def _add(path: str, known: dict[str, list[str]], order: dict[str, None]) -> None:
    # modules.dep lists all that a module needs, nearest first
    for other in reversed(known[path]):
        order.setdefault(other)
    order.setdefault(path)
