"""New stacks of Docker Compose, from text, from git or from a file."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from lab.portainer import controls, defaults, endpoints, payload, stacks
from lab.portainer.addresses import is_url
from lab.portainer.calls.stack_swarm import refuse_swarm
from lab.portainer.git import GitAuthError, GitError
from lab.portainer.payload import Payload
from lab.portainer.polling import repository_of
from lab.portainer.replies import ApiError, internal, invalid
from lab.portainer.routing import Call, route
from lab.portainer.store import Record

METHODS = "Invalid value for query parameter: method. Value must be one of: string, repository or file"
KINDS = "Invalid value for query parameter: type. Value must be one of: 1 (Swarm stack) or 2 (Compose stack)"
OLD_KINDS = {"1": "swarm", "2": "standalone", "3": "kubernetes"}
NO_FILE = "Invalid Compose file. Ensure that the Compose file is uploaded correctly"


@route("POST", "/stacks/create/{kind}/{method}")
async def create(call: Call) -> object:
    """Make a stack; the answer comes when it runs."""
    return await _create(call, call.names["kind"], call.names["method"])


@route("POST", "/stacks")
async def create_as_before(call: Call) -> object:
    """The deprecated way, with kind and method in the query."""
    kind = OLD_KINDS.get(call.request.query.get("type", ""))
    if kind is None:
        raise ApiError(400, "Invalid query parameter: type", "Invalid query parameter")
    return await _create(call, kind, call.request.query.get("method", ""))


async def _create(call: Call, kind: str, method: str) -> object:
    endpoint = endpoints.find(call, payload.query_number(call.request, "endpointId"))
    stacks.check_management(call, endpoint, "Stack creation")
    endpoints.check_access(call, endpoint)
    if kind not in ("standalone", "swarm"):
        raise ApiError(400, KINDS, "Invalid query parameter")
    if method not in _METHODS:
        raise ApiError(400, METHODS, "Invalid query parameter")
    if kind == "swarm":
        await refuse_swarm(call, endpoint, method)
    stack = await _METHODS[method](call, endpoint)
    return await _finished(call, stack, endpoint)


async def _from_text(call: Call, endpoint: Record) -> Record:
    body = await payload.read(call.request)
    if not body.text("Name"):
        raise invalid("Invalid stack name")
    if not body.text("StackFileContent"):
        raise invalid("Invalid stack file content")
    stack = await _begun(call, endpoint, body.text("Name"), Env=body.pairs("Env"))
    _store_file(call, stack, body.text("StackFileContent").encode())
    return stack | {"FromAppTemplate": body.flag("FromAppTemplate")}


async def _from_file(call: Call, endpoint: Record) -> Record:
    form = await call.request.post() if call.request.content_type == "multipart/form-data" else {}
    name, file = form.get("Name"), form.get("file")
    if not isinstance(name, str) or not name:
        raise invalid("Invalid stack name")
    if not isinstance(file, web.FileField):
        raise invalid(NO_FILE)
    try:
        env = Payload({"Env": json.loads(str(form.get("Env") or "null"))}).pairs("Env")
    except ValueError as error:
        raise invalid("Invalid Env parameter") from error
    stack = await _begun(call, endpoint, name, Env=env)
    _store_file(call, stack, file.file.read())
    return stack


async def _from_git(call: Call, endpoint: Record) -> Record:
    body = await payload.read(call.request)
    _check_git(body)
    auto_update = stacks.auto_update(body)
    entry = body.text("ComposeFile") or stacks.COMPOSE_FILE
    name = stacks.normalised(body.text("Name"))
    await stacks.check_new_name(call, endpoint, name)
    stacks.check_webhook(call, auto_update)
    fields = {
        "EntryPoint": entry,
        "Env": body.pairs("Env"),
        "AdditionalFiles": body.listed("AdditionalFiles"),
        "AutoUpdate": auto_update,
        "GitConfig": _git_config(body, entry),
    }
    stack = await _begun(call, endpoint, name, checked=True, **fields)
    try:
        await _clone(call, stack)
    except ApiError:
        _forget_files(stack)
        raise
    return stack


_METHODS: dict[str, Callable[[Call, Record], Awaitable[Record]]] = {
    "string": _from_text,
    "repository": _from_git,
    "file": _from_file,
}


async def _begun(call: Call, endpoint: Record, name: str, *, checked: bool = False, **fields: object) -> Record:
    """A stack with a number, not stored yet: whoever asks for the same name meanwhile gets one too."""
    name = stacks.normalised(name)
    if not checked:
        await stacks.check_new_name(call, endpoint, name)
    number = call.server.store.next_id("stacks")
    common = {
        "ProjectPath": str(call.server.project_path(number)),
        "CreationDate": int(time.time()),
        "CreatedBy": call.user["Username"],
    }
    return defaults.stack(number, name, endpoint["Id"], **({"entry_point": stacks.COMPOSE_FILE} | common | fields))


async def _finished(call: Call, stack: Record, endpoint: Record) -> Record:
    try:
        await stacks.deploy(call, stack, endpoint)
    except ApiError:
        _forget_files(stack)
        raise
    stacks.start_polling(call, stack)
    stacks.save(call, stack)
    resource = controls.stack_resource(endpoint["Id"], stack["Name"])
    if call.is_admin:
        control = controls.new(resource, controls.STACK, AdministratorsOnly=True)
    else:
        control = controls.private(resource, controls.STACK, call.user["Id"])
    return stacks.shown(stack, controls.add(call.server.store, control))


async def _clone(call: Call, stack: Record) -> None:
    repository = repository_of(stack)
    try:
        await call.server.git.clone(repository, stacks.folder_of(stack))
    except GitAuthError as error:
        raise internal("Invalid git credential") from error
    except GitError as error:
        raise internal(f"unable to clone git repository: {error}") from error
    try:
        stack["GitConfig"]["ConfigHash"] = await call.server.git.latest_commit(repository)
    except GitError as error:
        raise internal(f"unable to fetch git repository id: {error}") from error


def _check_git(body: Payload) -> None:
    if not body.text("Name"):
        raise invalid("Invalid stack name")
    if not is_url(body.text("RepositoryURL")):
        raise invalid(stacks.BAD_URL)
    if body.flag("RepositoryAuthentication") and not body.text("RepositoryPassword"):
        raise invalid(stacks.NO_PASSWORD)


def _git_config(body: Payload, entry: str) -> Record:
    login: Record | None = None
    if body.flag("RepositoryAuthentication"):
        login = git_login(body.text("RepositoryUsername"), body.text("RepositoryPassword"))
    return {
        "URL": body.text("RepositoryURL"),
        "ReferenceName": body.text("RepositoryReferenceName"),
        "ConfigFilePath": entry,
        "Authentication": login,
        "ConfigHash": "",
        "TLSSkipVerify": body.flag("TLSSkipVerify"),
    }


def git_login(user: str, password: str) -> Record:
    """Credentials as a stack stores them."""
    return {"Username": user, "Password": password, "GitCredentialID": 0}


def _store_file(call: Call, stack: Record, content: bytes) -> None:
    folder = stacks.folder_of(stack)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / stack["EntryPoint"]).write_bytes(content)


def _forget_files(stack: Record) -> None:
    shutil.rmtree(stacks.folder_of(stack), ignore_errors=True)
