"""What the server says about itself, and parts of the API that are always empty here."""

from __future__ import annotations

from lab.portainer import VERSION
from lab.portainer.routing import Access, Call, route


@route("GET", "/status", Access.PUBLIC)
@route("GET", "/system/status", Access.PUBLIC)
async def status(call: Call) -> object:
    """Version and instance; the first thing a client asks."""
    return {"Version": VERSION, "InstanceID": call.server.store.instance}


@route("GET", "/system/version")
async def version(call: Call) -> object:
    """More about the version. (The real server lists its whole environment in `Env`.)"""
    build = dict.fromkeys(("BuildNumber", "ImageTag", "NodejsVersion", "YarnVersion", "WebpackVersion"), "")
    return {
        "UpdateAvailable": False,
        "LatestVersion": "",
        "ServerVersion": VERSION,
        "ServerEdition": "CE",
        "DatabaseVersion": VERSION,
        "Build": build | {"GoVersion": "go1.26.8", "GitCommit": "cc75167", "Env": []},
    }


@route("GET", "/system/info")
async def info(call: Call) -> object:
    """Agents: none."""
    return {"platform": "", "edgeAgents": 0, "agents": 0}


@route("GET", "/motd")
async def motd(call: Call) -> object:
    """The message of the day, empty as without internet."""
    return {"Title": "", "Message": "", "ContentLayout": None, "Style": "", "Hash": None}


@route("GET", "/roles", Access.ADMIN)
@route("GET", "/webhooks")
async def nothing(call: Call) -> object:
    """Lists that are always empty in this edition."""
    return []
