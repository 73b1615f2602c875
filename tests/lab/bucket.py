"""An S3 server of a test's own, and the checkout with its state there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.server import ThreadedMotoServer

from tests.lab.checkout import SITE, Checkout

BUCKET = "hypercompose-state"
KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret"}


@dataclass(frozen=True)
class S3:
    """The server, and one bucket of it."""

    endpoint: str
    client: Any

    @property
    def backend(self) -> str:
        return f"s3://{BUCKET}/team?endpoint={self.endpoint}&s3ForcePathStyle=true&region=us-east-1"

    def read(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=f"team/{key}")["Body"].read())

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=f"team/{key}", Body=content)

    def names(self, prefix: str) -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=f"team/{prefix}").get("Contents", ())
        return [str(item["Key"]).removeprefix("team/") for item in found]

    def state(self, stack: str) -> dict[str, Any]:
        """What the engine keeps."""
        found: dict[str, Any] = json.loads(self.read(checkpoint_key(stack)))["checkpoint"]["latest"]
        return found


def checkpoint_key(stack: str) -> str:
    return f".pulumi/stacks/hypercompose/{stack}.json"


@contextlib.contextmanager
def s3_server() -> Iterator[S3]:
    """A server on a free loopback port, with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="tester",
            aws_secret_access_key="secret",
        )
        client.create_bucket(Bucket=BUCKET)
        yield S3(endpoint, client)
    finally:
        server.stop()


def on_bucket(checkout: Checkout, backend: str, folder: Path) -> Checkout:
    """The same checkout and lab; only the state is elsewhere."""
    site = yaml.safe_load((checkout.folder / "sites" / f"{SITE}.yaml").read_text())
    site["state"]["backend"] = backend
    folder.mkdir(exist_ok=True)
    (folder / f"{SITE}.yaml").write_text(yaml.safe_dump(site))
    return Checkout(checkout.folder, {"HYPERCOMPOSE_SITES": str(folder), **KEYS})


def add_stack(checkout: Checkout, stack: str) -> None:
    """A stack without any VM: the site is claimed, and that is all."""
    settings = {"config": {"hypercompose:site": SITE, "hypercompose:vms": []}}
    (checkout.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings))
