"""The SDK's generated gRPC modules, without the SDK: importing `pulumi` costs half a second at each engine command."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def import_without_sdk() -> None:
    """Make `pulumi.runtime.proto` importable while the two packages above it stay empty."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("pulumi is not installed in this environment; run `make env`")
    base = Path(spec.submodule_search_locations[0])
    for name, folder in (("pulumi", base), ("pulumi.runtime", base / "runtime")):
        hollow = types.ModuleType(name)
        hollow.__path__ = [str(folder)]
        sys.modules[name] = hollow
