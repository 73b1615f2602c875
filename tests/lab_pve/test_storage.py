"""Storages and the files in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.lab_pve.pve_site import Answer, PveSite, covers

STORAGE = "/nodes/{node}/storage/{storage}"
CONTENT = "/nodes/pve1/storage/local/content"


async def _upload(pve: PveSite, storage: str = "local", **fields: str) -> Answer:
    form = aiohttp.FormData()
    for name, text in ({"content": "iso"} | fields).items():
        if name != "filename":
            form.add_field(name.replace("_", "-"), text)
    form.add_field("filename", b"content", filename=fields.get("filename", "a.iso"))
    return await pve.call("POST", f"/nodes/pve1/storage/{storage}/upload", data=form)


@covers(f"GET {STORAGE}/content", f"DELETE {STORAGE}/content/{{volume}}")
async def test_an_upload_is_listed_until_it_is_deleted(pve: PveSite) -> None:
    assert await pve.ended((await _upload(pve)).data) == "OK"
    (listed,) = await pve.get(CONTENT, content="iso")
    assert (listed["volid"], listed["size"]) == ("local:iso/a.iso", 7)
    assert pve.cluster.volumes.file("pve1", "local:iso/a.iso").read_bytes() == b"content"
    assert await pve.get("/nodes/pve2/storage/local/content") == []
    await pve.done("DELETE", f"{CONTENT}/local:iso%2Fa.iso")
    assert await pve.get(CONTENT) == []
    assert (
        await pve.call("DELETE", f"{CONTENT}/local:iso%2Fa.iso")
    ).reason == "volume 'local:iso/a.iso' does not exist"


async def test_a_checksum_is_checked(pve: PveSite) -> None:
    right = hashlib.sha256(b"content").hexdigest()
    good = await _upload(pve, checksum=right, checksum_algorithm="sha256")
    assert await pve.ended(good.data) == "OK"
    bad = await _upload(pve, filename="b.iso", checksum="00", checksum_algorithm="sha256")
    assert (await pve.ended(bad.data)).startswith("checksum mismatch: got ")
    assert not list(Path(pve.directory / "storage").glob(".*.part"))


@pytest.mark.parametrize(
    ("storage", "fields", "text"),
    [
        ("local-lvm", {}, "can't upload to storage type 'lvmthin'"),
        ("local", {"content": "snippets", "filename": "a.yaml"}, "upload content-type 'snippets' is not allowed"),
        ("local", {"filename": "a.exe"}, "wrong file extension"),
        ("nowhere", {}, "storage 'nowhere' does not exist"),
    ],
)
async def test_uploads_that_cannot_be(pve: PveSite, storage: str, fields: dict[str, str], text: str) -> None:
    answer = await _upload(pve, storage, **fields)
    assert answer.status in (400, 500)
    assert text in (answer.reason, *answer.body.get("errors", {}).values())


@covers(f"POST {STORAGE}/download-url", "GET /nodes/{node}/query-url-metadata")
async def test_a_node_fetches_a_file_from_a_url(pve: PveSite) -> None:
    async def image(request: web.Request) -> web.Response:
        return web.Response(body=b"bytes" if request.path == "/image.qcow2" else b"", status=200)

    web_app = web.Application()
    web_app.router.add_get("/image.qcow2", image)
    async with TestServer(web_app) as server:
        url = str(server.make_url("/image.qcow2"))
        found = await pve.get("/nodes/pve1/query-url-metadata", url=url)
        assert (found["filename"], found["size"]) == ("image.qcow2", 5)
        path, given = "/nodes/pve1/storage/local/download-url", {"content": "import", "filename": "i.qcow2"}
        await pve.done("POST", path, url=url, **given)
        assert await pve.work("POST", path, url=f"{url}x", **given) == "download failed: 404 Not Found"
    assert pve.cluster.volumes.file("pve1", "local:import/i.qcow2").read_bytes() == b"bytes"


@covers("GET /nodes/{node}/storage", f"GET {STORAGE}/status", "GET /storage", "GET /storage/{storage}")
async def test_storages_say_what_they_hold_and_how_full_they_are(pve: PveSite) -> None:
    assert [s["storage"] for s in await pve.get("/nodes/pve1/storage", content="images")] == ["local-lvm", "ceph"]
    await pve.done("POST", "/nodes/pve1/qemu", vmid=200, scsi0="ceph:1000")
    status = await pve.get("/nodes/pve2/storage/ceph/status")
    assert (status["used_fraction"], status["shared"]) == (0.5, 1)
    assert [s["storage"] for s in await pve.get("/storage")] == ["local", "local-lvm", "ceph"]
    assert (await pve.get("/storage/local"))["path"] == "/var/lib/vz"
    assert (await pve.call("GET", "/storage/nowhere")).reason == "storage 'nowhere' does not exist"


async def test_a_disk_in_use_is_not_deleted(pve: PveSite) -> None:
    await pve.clone(100)
    answer = await pve.call("DELETE", "/nodes/pve1/storage/local-lvm/content/vm-100-disk-0")
    assert answer.reason == "unable to delete 'local-lvm:vm-100-disk-0' - volume is still in use by VM 100"
