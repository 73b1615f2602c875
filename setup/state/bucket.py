"""State in S3 or what speaks like it: the bucket of a backend's URL, read without starting the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from setup.report import SetupError

Result = TypeVar("Result")
UNDERSTOOD = frozenset(
    """region endpoint profile s3ForcePathStyle use_path_style disableSSL disable_https awssdk hostname_immutable
    dualstack fips ssetype kmskeyid request_checksum_calculation response_checksum_validation""".split()
)
"""Parameters that change nothing here or are taken over below. With any other, the engine itself is asked."""
KEYS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}
CERTIFICATES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")
FILES = {"config_file": "AWS_CONFIG_FILE", "credentials_file": "AWS_SHARED_CREDENTIALS_FILE"}
READ = (
    *KEYS.values(),
    *CERTIFICATES,
    *FILES.values(),
    *("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
)
WHERE = "in the site's credentials file or the shell"
REMEDIES = {
    "NoSuchBucket": "there is no such bucket; make it, or correct the name",
    "InvalidAccessKeyId": f"the server does not know this access key; check AWS_ACCESS_KEY_ID {WHERE}",
    "SignatureDoesNotMatch": f"the server refuses the secret key; check AWS_SECRET_ACCESS_KEY {WHERE}",
    "ExpiredToken": "the credentials have expired; log in again",
    "InvalidToken": f"the server refuses the session token; check AWS_SESSION_TOKEN {WHERE}",
    "AccessDenied": "these credentials may not do it; they need s3:ListBucket on the bucket and s3:GetObject, "
    "s3:PutObject, s3:DeleteObject on what is in it",
    "PermanentRedirect": "the bucket is in another region; correct region=",
    "AuthorizationHeaderMalformed": "the bucket is in another region; correct region=",
}
"""What to do about an answer of the server, by its code."""


def is_understood(backend: str) -> bool:
    """Whether this is an S3 backend whose URL says nothing that only the engine knows."""
    url = urlsplit(backend)
    return url.scheme == "s3" and bool(url.netloc) and {name for name, _ in parse_qsl(url.query)} <= UNDERSTOOD


class NotConditional(Exception):
    """The server does not know writes with a condition."""


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """Bytes of a bucket, with what tells this version of them from others."""

    content: bytes
    tag: str
    age_s: float


class Bucket:
    """The part of a bucket that a backend's URL names. Opened at first use: the library takes a third of a second."""

    def __init__(self, backend: str, environment: Mapping[str, str]) -> None:
        """Take the URL and the environment that the engine would get."""
        url = urlsplit(backend)
        self._bucket, self._prefix = url.netloc, url.path.strip("/") + "/" if url.path.strip("/") else ""
        self._backend, self._environment = backend, environment
        self._shown = f"state.backend {url.scheme}://{url.netloc}{url.path}"

    def read(self, name: str) -> bytes | None:  # noqa: D102
        def get() -> bytes | None:
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            except self._client.exceptions.NoSuchKey:
                return None
            return bytes(answer["Body"].read())

        return self._asked(get)

    def names(self, prefix: str) -> list[str]:  # noqa: D102
        def pages() -> list[str]:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            return [str(found["Key"]) for page in pages for found in page.get("Contents", ())]

        return sorted(key.removeprefix(self._prefix) for key in self._asked(pages))

    def remove(self, name: str) -> None:  # noqa: D102
        self._asked(lambda: self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name))

    def tagged(self, name: str) -> Tagged | None:
        """What is there with its version and age, by the server's own clock; None where nothing is."""

        def get() -> Tagged | None:
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            except self._client.exceptions.NoSuchKey:
                return None
            now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            age_s = (now - answer["LastModified"]).total_seconds()
            return Tagged(content=answer["Body"].read(), tag=answer["ETag"], age_s=age_s)

        return self._asked(get)

    def write_if(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Write if that version is there (None: nothing at all); the new version, or None where it is not.

        Of several writers at once exactly one succeeds. Raises NotConditional for a server that cannot do it.
        """
        from botocore.exceptions import ClientError

        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}

        def put() -> str | None:
            try:
                answer = self._client.put_object(
                    Bucket=self._bucket, Key=self._prefix + name, Body=content, **condition
                )
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if status == 501:
                    raise NotConditional from None
                if status in (404, 409, 412):
                    return None
                raise
            return str(answer["ETag"])

        return self._asked(put)

    def _asked(self, question: Callable[[], Result]) -> Result:
        """The answer; one sentence with the remedy where there is none."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return question()
        except (ClientError, BotoCoreError, ValueError) as error:
            raise SetupError(f"{self._shown}: {self._remedy(error)}.") from None

    def _remedy(self, error: Exception) -> str:
        from botocore import exceptions

        if isinstance(error, exceptions.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            return REMEDIES.get(code, f"the server answers {code or 'nothing useful'}; look at its log")
        if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
            return f"no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, {WHERE}"
        if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
            endpoint = dict(parse_qsl(urlsplit(self._backend).query)).get("endpoint", "AWS")
            return f"{endpoint} cannot be reached ({type(error).__name__}); see whether it is up and endpoint= is right"
        return f"{error}; correct the address, or the AWS settings {WHERE}"

    @property
    def _client(self) -> Any:
        return _client(
            self._backend, tuple((name, self._environment[name]) for name in READ if name in self._environment)
        )


@cache
def _client(backend: str, environment: tuple[tuple[str, str], ...]) -> Any:
    """A client of the server, one in a run: to make it takes a tenth of a second."""
    import boto3
    import botocore.session
    from botocore.config import Config

    said, variables = dict(parse_qsl(urlsplit(backend).query)), dict(environment)
    keys, profile = _credentials(said, variables)
    core = botocore.session.Session()
    for setting, name in FILES.items():
        core.set_config_variable(setting, variables.get(name))
    region = said.get("region") or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")
    session = boto3.Session(botocore_session=core, region_name=region, profile_name=profile, **keys)
    return session.client(
        "s3",
        endpoint_url=_endpoint(said, variables),
        use_ssl=not _is(said, "disable_https", "disableSSL"),
        verify=_authorities(variables),
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path" if _is(said, "use_path_style", "s3ForcePathStyle") else "auto"},
            use_dualstack_endpoint=_is(said, "dualstack") or None,
            use_fips_endpoint=_is(said, "fips") or None,
        ),
    )


def _credentials(said: Mapping[str, str], variables: Mapping[str, str]) -> tuple[dict[str, str], str | None]:
    """Keys of the environment, else a profile: a profile in the URL wins over keys, as it does in the engine."""
    if named := said.get("profile"):
        return {}, named
    keys = {option: variables[name] for option, name in KEYS.items() if variables.get(name)}
    return keys, None if keys else variables.get("AWS_PROFILE")


def _endpoint(said: Mapping[str, str], variables: Mapping[str, str]) -> str | None:
    """As the engine reads it: an address without a scheme gets one."""
    found = said.get("endpoint") or variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL")
    if not found or "://" in found:
        return found
    return f"http{'' if _is(said, 'disable_https', 'disableSSL') else 's'}://{found}"


def _authorities(variables: Mapping[str, str]) -> str | None:
    """The certificates that the engine would trust."""
    named = (variables.get(name) for name in CERTIFICATES)
    return next((file for file in named if file and Path(file).is_file()), None)


def _is(said: Mapping[str, str], *names: str) -> bool:
    return any(said.get(name, "").lower() in ("true", "1", "t") for name in names)
