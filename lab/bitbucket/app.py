"""The calls: own account, comments of a pull request. Errors in Bitbucket's shape, lists in pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from lab.bitbucket.store import LONGEST, Account, Comment, Store

STORE: web.AppKey[Store] = web.AppKey("store", Store)
COMMENTS = "/2.0/repositories/{workspace}/{repo_slug}/pullrequests/{pull_request_id}/comments"
PAGE, LONGEST_PAGE = 10, 100
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, **detail: object) -> None:
        """`detail`: what else Bitbucket tells, scopes for example."""
        super().__init__(message)
        self.status, self.message, self.detail = status, message, detail


def make_app(store: Store) -> web.Application:
    """The application; the caller gives it a port."""
    app = web.Application(middlewares=[_answers])
    app[STORE] = store
    app.router.add_get("/2.0/user", _user)
    app.router.add_get(COMMENTS, _list)
    app.router.add_post(COMMENTS, _create)
    app.router.add_put(f"{COMMENTS}/{{comment_id}}", _update)
    app.router.add_delete(f"{COMMENTS}/{{comment_id}}", _delete)
    return app


@web.middleware
async def _answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    store = request.app[STORE]
    store.asked.append((request.method, request.path_qs))
    fault = store.fault(request.method)
    answer = None if fault and not fault.is_late else await _answer(request, handler)
    if fault and fault.drops and request.transport:
        request.transport.abort()
    if fault:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return web.Response(status=fault.status, text="<h1>the lab's fault</h1>", headers=headers)
    return answer or web.Response(status=500)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        body = {
            "type": "error",
            "error": {"message": error.message, **({"detail": error.detail} if error.detail else {})},
        }
        return web.json_response(body, status=error.status)
    except web.HTTPNotFound:
        return web.json_response({"type": "error", "error": {"message": "Resource not found"}}, status=404)


def _account(request: web.Request, scope: str) -> Account:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    account = request.app[STORE].accounts.get(token)
    if kind != "Bearer" or account is None:
        raise ApiError(401, "Token is invalid, expired, or not supported for this endpoint.")
    if scope not in account.scopes and f"{scope}:write" not in account.scopes:
        granted, told = sorted(account.scopes), "Your credentials lack one or more required privilege scopes."
        raise ApiError(403, told, required=[scope], granted=granted)
    return account


def _comments(request: web.Request) -> list[Comment]:
    place = request.match_info
    number = int(place["pull_request_id"]) if place["pull_request_id"].isdigit() else 0
    found = request.app[STORE].pull_requests.get((place["workspace"], place["repo_slug"], number))
    if found is None:
        raise ApiError(404, f"Repository {place['workspace']}/{place['repo_slug']} not found")
    return found


def _one(request: web.Request, account: Account) -> Comment:
    """A comment to change: everybody only their own."""
    wanted = request.match_info["comment_id"]
    comment = next((c for c in _comments(request) if str(c.id) == wanted and not c.is_deleted), None)
    if comment is None:
        raise ApiError(404, f"Comment {wanted} not found")
    if comment.account.uuid != account.uuid:
        raise ApiError(403, "You do not have permission to edit this comment.")
    return comment


async def _raw(request: web.Request) -> str:
    try:
        raw = (await request.json())["content"]["raw"]
    except (ValueError, KeyError, TypeError):
        raise ApiError(400, "content: required key not provided") from None
    if not isinstance(raw, str) or not 0 < len(raw) <= LONGEST:
        raise ApiError(400, f"content: a non-empty value of at most {LONGEST} characters is needed")
    return raw


def _url(request: web.Request) -> str:
    return f"{request.url.origin()}{request.path.partition('/comments')[0]}/comments"


async def _user(request: web.Request) -> web.Response:
    account = _account(request, "account")
    return web.json_response({"type": "user", "uuid": account.uuid, "display_name": account.name})


async def _list(request: web.Request) -> web.Response:
    _account(request, "pullrequest")
    found, query = _comments(request), request.query
    page, length = int(query.get("page", 1)), int(query.get("pagelen", PAGE))
    if not 1 <= length <= LONGEST_PAGE:
        raise ApiError(400, "Invalid pagelen")
    start, url = (page - 1) * length, _url(request)
    values = [comment.body(url) for comment in found[start : start + length]]
    body: dict[str, Any] = {"size": len(found), "page": page, "pagelen": length, "values": values}
    if start + length < len(found):
        body["next"] = f"{url}?pagelen={length}&page={page + 1}"
    return web.json_response(body)


async def _create(request: web.Request) -> web.Response:
    account = _account(request, "pullrequest:write")
    comment = request.app[STORE].add(_comments(request), await _raw(request), account)
    body = comment.body(_url(request))
    return web.json_response(body, status=201, headers={"Location": body["links"]["self"]["href"]})


async def _update(request: web.Request) -> web.Response:
    comment = _one(request, _account(request, "pullrequest:write"))
    comment.edit(await _raw(request))
    return web.json_response(comment.body(_url(request)))


async def _delete(request: web.Request) -> web.Response:
    comment = _one(request, _account(request, "pullrequest:write"))
    comment.is_deleted, comment.raw = True, ""
    return web.Response(status=204)
