"""Settings of stacks from git, and redeploying them by hand."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from lab.portainer import endpoints, payload, stacks
from lab.portainer.calls.stack_create import git_login
from lab.portainer.git import GitAuthError, GitError, Repository
from lab.portainer.payload import Payload
from lab.portainer.polling import repository_of
from lab.portainer.replies import ApiError
from lab.portainer.routing import Call, route
from lab.portainer.store import Record

NOT_GIT = "Stack is not created from git"
NO_CONFIG = "No Git config in the found stack"


@route("POST", "/stacks/{id}/git")
async def settings(call: Call) -> object:
    """Replace reference, variables, credentials and updating as a whole; nothing is deployed."""
    number, body = call.number("id", "stack"), await payload.read(call.request)
    auto_update = stacks.auto_update(body)
    stack = call.find("stacks", number, stacks.UNKNOWN)
    if stack["GitConfig"] is None:
        raise ApiError(500, NO_CONFIG)
    _enter(call, stack, "Stack editing")
    stacks.stop_polling(call, stack)
    kept = _password(stack, body)
    stack["GitConfig"] |= {
        "ReferenceName": body.text("RepositoryReferenceName"),
        "TLSSkipVerify": body.flag("TLSSkipVerify"),
        "Authentication": None,
    }
    stack |= {"AutoUpdate": auto_update, "Env": body.pairs("Env")}
    stacks.note_update(call, stack)
    if body.flag("RepositoryAuthentication"):
        stack["GitConfig"]["Authentication"] = git_login(body.text("RepositoryUsername"), kept)
        await _check_login(call, stack)
    stacks.start_polling(call, stack)
    stacks.save(call, stack)
    return stacks.shown(stack)


@route("PUT", "/stacks/{id}/git/redeploy")
async def redeploy(call: Call) -> object:
    """Clone anew and recreate all containers; reference and variables that are left out are gone."""
    stack = stacks.find(call)
    if stack["GitConfig"] is None:
        raise ApiError(400, NOT_GIT)
    endpoint = _enter(call, stack, "Stack management")
    body = await payload.read(call.request)
    stack["GitConfig"]["ReferenceName"] = body.text("RepositoryReferenceName")
    stack["Env"] = body.pairs("Env")
    repository = _with_login(stack, body)
    async with _fresh_clone(call, stack, repository):
        await stacks.deploy(call, stack, endpoint, pull=body.flag("PullImage"), recreate=True)
        try:
            stack["GitConfig"]["ConfigHash"] = await call.server.git.latest_commit(repository)
        except GitError as error:
            details = f"failed to fetch latest commit id of the stack {stack['Id']}: {error}"
            raise ApiError(500, "Unable get latest commit id", details) from error
    stacks.note_update(call, stack)
    stack["Status"] = stacks.ACTIVE
    stacks.save(call, stack)
    return stacks.shown(stack)


def _enter(call: Call, stack: Record, doing: str) -> Record:
    """The environment, which the query must name, though it is not said to be missing."""
    number = payload.query_number(call.request, "endpointId", optional=True)
    endpoint = endpoints.find(call, number, stacks.NO_ENVIRONMENT)
    stack["EndpointId"] = number
    stacks.check_access(call, stack, endpoint, doing)
    return endpoint


def _password(stack: Record, body: Payload) -> str:
    """The password of the body, or the stored one when that is left out."""
    stored = (stack["GitConfig"]["Authentication"] or {}).get("Password", "")
    return body.text("RepositoryPassword") or stored


def _with_login(stack: Record, body: Payload) -> Repository:
    """Credentials count only when the body asks for them, and are not stored."""
    wanted = body.flag("RepositoryAuthentication")
    user, password = (body.text("RepositoryUsername"), _password(stack, body)) if wanted else ("", "")
    return replace(repository_of(stack), user=user, password=password)


async def _check_login(call: Call, stack: Record) -> None:
    try:
        await call.server.git.latest_commit(repository_of(stack))
    except GitError as error:
        raise ApiError(500, "Unable to fetch git repository", str(error)) from error


@asynccontextmanager
async def _fresh_clone(call: Call, stack: Record, repository: Repository) -> AsyncIterator[None]:
    """A new folder with the reference's files; the old one comes back when that fails, else it goes at the end."""
    folder = stacks.folder_of(stack)
    before = folder.with_name(f"{folder.name}-old")
    shutil.rmtree(before, ignore_errors=True)
    try:
        folder.rename(before)
    except OSError as error:
        details = f"Unable to move git repository directory: {error}"
        raise ApiError(500, "Unable to clone git repository directory", details) from error
    try:
        await call.server.git.clone(repository, folder)
    except GitError as error:
        shutil.rmtree(folder, ignore_errors=True)
        before.rename(folder)
        what = "Invalid git credential" if isinstance(error, GitAuthError) else "Unable to clone git repository"
        raise ApiError(500, "Unable to clone git repository directory", f"{what}: {error}") from error
    try:
        yield
    finally:
        shutil.rmtree(before, ignore_errors=True)
