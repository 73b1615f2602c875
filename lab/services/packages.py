"""The package server: Docker's packages as static files over plain HTTP, for dnf and apt in the guests."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web


def make_app(folder: Path) -> web.Application:
    """Serves everything below `folder`, whole or in ranges, with listings of folders for people."""
    app = web.Application()
    app.router.add_static("/", folder, show_index=True)
    return app
