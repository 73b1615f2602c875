"""An S3 server of a test's own, on a free loopback port."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

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
    """A server on a free loopback port, with an empty bucket; one at a time in a process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        requests.post(f"{endpoint}/moto-api/reset", timeout=10).raise_for_status()  # what it keeps is the process's
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
