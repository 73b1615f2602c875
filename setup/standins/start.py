"""Starts a stand-in's service: `python start.py <package>`, then the engine's arguments."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Import the package's service by the short way, then serve."""
    # In place of this file's folder: the checkout, so that our own modules are found from any working directory.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from provider.protocol import import_without_sdk

    import_without_sdk()
    print(f"{Path(sys.argv[1]).name}: stand-in for the official plugin, for the lab only", file=sys.stderr)
    importlib.import_module(f"setup.standins.{sys.argv.pop(1)}.service").serve()


if __name__ == "__main__":
    main()
