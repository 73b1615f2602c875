"""A look into a repository before a stack is made of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lab.portainer import payload, stacks
from lab.portainer.addresses import is_url
from lab.portainer.deployments import file_path
from lab.portainer.git import GitAuthError, GitError, Repository
from lab.portainer.replies import ApiError, invalid
from lab.portainer.routing import Call, route


@route("POST", "/gitops/repo/file/preview")
async def preview(call: Call) -> object:
    """One file of a repository."""
    body = await payload.read(call.request)
    if not is_url(body.text("repository")):
        raise invalid("Invalid repository URL. Must correspond to a valid URL format")
    repository = Repository(
        url=body.text("repository"),
        reference=body.text("reference"),
        user=body.text("username"),
        password=body.text("password"),
        skip_verify=body.flag("tlsskipverify"),
    )
    with tempfile.TemporaryDirectory(dir=call.server.data) as room:
        folder = Path(room) / "tree"
        try:
            await call.server.git.clone(repository, folder)
        except GitAuthError as error:
            raise ApiError(400, "Invalid git credential", str(error)) from error
        except GitError as error:
            raise ApiError(500, "Unable to clone git repository", str(error)) from error
        file = file_path({"ProjectPath": str(folder)}, body.text("targetFile") or stacks.COMPOSE_FILE)
        if not file.is_file():
            raise ApiError(500, "Unable to read file", f"open {file}: no such file or directory")
        return {"FileContent": file.read_text()}
