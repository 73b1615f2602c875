"""The compose files of a stack, from its text or its ref, as its host looks at them."""

from __future__ import annotations

from pathlib import PurePosixPath

from provisioning.compose.look import ComposeRefused, Project
from provisioning.portainer.wanted import Wanted


def project_of(wanted: Wanted) -> tuple[Project, str]:
    """Its files, and the commit they are of. Raises GitError, ComposeRefused."""
    if wanted.source is None or wanted.repository is None:
        order, commit, files = ["compose.yaml"], "", {"compose.yaml": wanted.inline or ""}
    else:
        order = [wanted.source.path, *wanted.source.additional]
        commit, found = wanted.repository.snapshot(wanted.source.ref, _folder(wanted.source.path))
        if wanted.commit not in ("", commit) and wanted.repository.advance(wanted.source.ref, wanted.commit):
            commit, found = wanted.repository.snapshot(wanted.source.ref, _folder(wanted.source.path))
        missing = [path for path in order if path not in found]
        if missing:
            has = ", ".join(sorted(found)[:8]) or "nothing"
            raise ComposeRefused(
                f"path {missing[0]}: not in {wanted.source.ref}, which has {has}; look at its spelling"
            )
        texts = {path: _text(content) for path, content in found.items()}
        if binary := [path for path in order if texts[path] is None]:
            raise ComposeRefused(f"path {binary[0]}: is no UTF-8 text, which a compose file must be")
        files = {path: text for path, text in texts.items() if text is not None}
        if wanted.commit and commit != wanted.commit:
            raise ComposeRefused(
                f"ref {wanted.source.ref}: is at {commit[:10]}, expected {wanted.commit[:10]}; somebody pushed to it"
            )
    project = Project(
        name=wanted.name, files=files, order=order, env=wanted.all_env, allowed_paths=wanted.allowed_paths
    )
    return project, commit


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent).removeprefix(".")


def _text(content: bytes) -> str | None:
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None
