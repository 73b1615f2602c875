"""git: can the deployments repository be read, may we push there, and is what stacks name there?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from delivery.preflight.check import About, Check, Ladder, told
from delivery.preflight.scope import Scope, in_checkout
from provisioning.at_once import at_once
from provisioning.git import GitError, Repository
from settings.portainer import GitStack
from settings.secrets import GIT_VARIABLE
from settings.site import Git

PATIENCE_S = 6
DEADLINE_S = 10.0
PASSWORD_KEY = "hypercompose:git_password"  # noqa: S105  its name
BRANCH_RULES = "rules of single branches and hooks speak up only at a real push"


def check_repositories(scope: Scope) -> Iterator[Check]:
    """Lines for the deployments repository, one for each ref of somebody else's."""
    if because := scope.unusable():
        yield About(name="git").unknown(because)
    stacks, git = scope.program.settings.stacks, scope.site.git
    ours = [name for name, stack in stacks.items() if stack.project]
    jobs = [partial(_foreign, scope, name, stack.git) for name, stack in stacks.items() if stack.git]
    if ours and git and git.repository:
        jobs.insert(0, partial(_deployments, scope, git, f"refs/heads/{scope.stack}/{ours[0]}"))
    for answer in at_once(jobs, DEADLINE_S):
        yield from [About(name="git").unknown(str(answer))] if isinstance(answer, Exception) else answer


def _deployments(scope: Scope, git: Git, ref: str) -> list[Check]:
    """Read it, then rehearse a push of one branch of ours."""
    url = f"{git.url}/{git.repository}.git"
    ladder = Ladder(
        About(name="git", subject=f"read {git.repository}", field=scope.of_site("git.repository")),
        About(name="git", subject=f"push to {git.repository}", field=scope.of_site("git.user")),
    )
    repository, because, remedy = _repository(scope, url, login=True)
    if repository is None:
        ladder.unknown(because, remedy)
        return ladder.checks
    try:
        head = repository.head("HEAD")
        ladder.passed(f"{url}, at {head[:12]}" if head else f"{url}, empty")
        repository.may_push(ref)
        ladder.passed(f"lets {git.user or 'everybody'} push; {BRANCH_RULES}")
    except GitError as error:
        ladder.failed(*told(error), "it cannot be read")
    return ladder.checks


def _foreign(scope: Scope, name: str, wanted: GitStack) -> list[Check]:
    about = About(name="git", subject=f"stack {name}", field=scope.of_stack(f"stacks.{name}.git.ref"))
    repository, because, remedy = _repository(scope, wanted.url, login=wanted.login)
    if repository is None:
        return [about.unknown(because, remedy)]
    try:
        commit = repository.head(wanted.ref)
    except GitError as error:
        return [about.refused(error)]
    if commit is None:
        return [about.failed(f"{wanted.url} has no {wanted.ref}", "push it there, or name another ref")]
    return [about.passed(f"{wanted.ref} of {wanted.url} is at {commit[:12]}")]


def _repository(scope: Scope, url: str, *, login: bool) -> tuple[Repository | None, str, str]:
    """A repository as the program reads it; else why it cannot be asked, and what to do."""
    git = scope.site.git
    ca = in_checkout(git.ca) if git else None
    if git is None or not git.user or not login:
        return Repository(url=url, ca=ca, patience_s=PATIENCE_S), "", ""
    password = scope.secret(PASSWORD_KEY, GIT_VARIABLE)
    if password.value is None:
        return None, password.why_not, password.remedy
    return Repository(url=url, ca=ca, user=git.user, password=password.value, patience_s=PATIENCE_S), "", ""
