"""Files put into a storage: sent by the caller, or fetched by the node from a URL."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from aiohttp import BodyPartReader, web

from lab.pve.errors import failure, invalid
from lab.pve.params import Params
from lab.pve.routing import Call, needs, route
from lab.pve.tasks import Log
from lab.pve.volumes import FILE_BASED

STORAGE = "/nodes/{node}/storage/{storage}"
EXTENSIONS = {"iso": ("iso", "img"), "vztmpl": ("gz", "xz", "zst"), "import": ("qcow2", "raw", "vmdk", "ova")}
_MAY = needs("/storage/{storage}", "Datastore.AllocateTemplate")
CHUNK = 1 << 20


@route("POST", f"{STORAGE}/upload", _MAY)
async def upload(call: Call) -> object:
    """Multipart upload of an ISO, container template or disk image."""
    call.cluster.volumes.storage(call.names["storage"])
    partial = _partial_file(call)
    params = Params(await _received(call.request, partial))
    volid = _volume_id(call, params)
    return _worker(call, "imgcopy", "", volid, partial, params)


async def _received(request: web.Request, partial: Path) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        if part.filename is None:
            fields[part.name] = (await part.read(decode=True)).decode()
            continue
        fields.setdefault("filename", part.filename)
        with partial.open("wb") as file:
            while chunk := await part.read_chunk(CHUNK):
                file.write(chunk)
    return fields


@route("POST", f"{STORAGE}/download-url", _MAY)
async def download(call: Call) -> object:
    """The node fetches a file."""
    _check_network_use(call)
    partial, url = _partial_file(call), call.params.text("url")
    volid, verify = _volume_id(call, call.params), call.params.flag("verify-certificates", True)

    async def fetch() -> None:
        await call.cluster.downloads.fetch(url, partial, verify=verify)

    about = call.params.text("filename")
    return _worker(call, "download", about, volid, partial, call.params, fetch())


@route("GET", "/nodes/{node}/query-url-metadata")
async def url_metadata(call: Call) -> object:
    """What is behind a URL."""
    _check_network_use(call)
    verify = call.params.flag("verify-certificates", True)
    return await call.cluster.downloads.metadata(call.params.text("url"), verify=verify)


def _check_network_use(call: Call) -> None:
    if not call.may("/", "Sys.Audit", "Sys.Modify"):
        call.require(f"/nodes/{call.node}", "Sys.AccessNetwork")


def _partial_file(call: Call) -> Path:
    folder = call.cluster.directory / "storage"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f".{uuid.uuid4().hex}.part"


def _volume_id(call: Call, params: Params) -> str:
    storage = call.cluster.volumes.storage(call.names["storage"])
    content, filename = params.text("content"), re.sub(r"[^-a-zA-Z0-9_.]", "_", params.text("filename"))
    if storage.type not in FILE_BASED:
        raise failure(f"can't upload to storage type '{storage.type}'")
    if content not in EXTENSIONS:
        raise invalid(content=f"upload content-type '{content}' is not allowed")
    if content not in storage.content:
        raise failure(f"storage '{storage.name}' is not configured for content-type '{content}'")
    if filename.rpartition(".")[2].lower() not in EXTENSIONS[content] or filename.startswith("."):
        raise invalid(filename="wrong file extension")
    return f"{storage.name}:{content}/{filename}"


def _worker(call: Call, kind: str, about: str, volid: str, partial: Path, params: Params, fetch: object = None) -> str:
    async def work(log: Log) -> None:
        if asyncio.iscoroutine(fetch):
            await fetch
        await asyncio.to_thread(_check_sum, partial, params)
        target = call.cluster.volumes.file(call.node, volid)
        target.parent.mkdir(parents=True, exist_ok=True)
        size = partial.stat().st_size
        partial.replace(target)
        content, extension = volid.partition(":")[2].partition("/")[0], volid.rpartition(".")[2]
        call.cluster.volumes.add(call.node, volid, size, kind=extension, content=content)

    async def undo(log: Log) -> None:
        partial.unlink(missing_ok=True)

    return call.cluster.tasks.start(call.node, kind, about, call.user, work, undo)


def _check_sum(partial: Path, params: Params) -> None:
    algorithm, expected = params.get("checksum-algorithm"), params.get("checksum", "")
    if not algorithm:
        return
    with partial.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if found != expected.lower():
        raise failure(f"checksum mismatch: got '{found}' != expect '{expected}'")
