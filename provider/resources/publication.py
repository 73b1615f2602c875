"""`hypercompose:git:Publication`: a ref of ours holds exactly these files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from provider.configuration import CHECKOUT
from provider.resource import Context, Properties, Resource
from provisioning.claim import Problem
from provisioning.git import GitError, Repository


class Publication(Resource):
    """`url`, `ca`, `user`, `password`, `ref`, `files` (text by path), `message`; gives `commit`."""

    type = "hypercompose:git:Publication"
    replace_on = frozenset({"url", "ref"})

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Paths that stay inside."""
        files = news.get("files")
        for path in files if isinstance(files, dict) else ():
            parts = path.split("/")
            if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
                yield Problem(property="files", reason=f"{path!r}, expected a path inside the repository")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Push them."""
        return f"{inputs['url']}#{inputs['ref']}", self._publish(context, inputs)

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """The files that the ref holds; None where it is gone."""
        repository = repository_of(state)
        try:
            commit = repository.head(str(state["ref"]))
            if commit is None or commit == state.get("commit"):
                return state if commit else None
            commit, found = repository.snapshot(str(state["ref"]))
        except GitError as error:
            context.unread(urn, error)
            return state
        files = {path: content.decode(errors="replace") for path, content in found.items()}
        return {**state, "files": files, "commit": commit}

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Push what is new."""
        return self._publish(context, news)

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Remove the ref."""
        repository_of(state).remove(str(state["ref"]))

    def _publish(self, context: Context, inputs: Properties) -> Properties:
        context.tell("publishing to git")
        commit = repository_of(inputs).publish(str(inputs["ref"]), inputs["files"], str(inputs["message"]))
        return {"commit": commit}


def repository_of(inputs: Properties) -> Repository:
    """By `url`, `ca` (a path that starts at the checkout), `user` and `password`."""
    ca = inputs.get("ca")
    return Repository(
        url=str(inputs["url"]),
        ca=str(CHECKOUT / Path(str(ca)).expanduser()) if ca else None,
        user=str(inputs.get("user") or ""),
        password=str(inputs.get("password") or ""),
    )
