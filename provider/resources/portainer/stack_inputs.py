"""Inputs of a stack.

`server`, `environmentId`, `connection` (the host), `name`, `owner`, `env`; either `inline` (the compose file's text) or
`url`, `ref`, `path`, `additional`, `user`, `password`, `ca` with `interval`; `commit` where the ref is ours alone;
`gated` where it is that of a gate, then also `hook`, the id of its webhook;
`run` (started, stopped); `webhookGeneration` (another number, another webhook); `place` (name of the host) and
`movedFrom` (see `stack_move`); `adopt`, `keepVolumes`, `allowedPaths`, `timeoutS`;
`hide`: values that no error may show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from provider.resource import Properties, known
from provider.resources.publication import repository_of
from provider.resources.step import address_of
from provisioning.claim import Problem
from provisioning.portainer.env_values import NAME as ENV_NAME
from provisioning.portainer.stacks import AutoUpdate, GitSource
from provisioning.portainer.wanted import Wanted

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
REF = re.compile(r"refs/(heads|tags)/[^\s~^:?*\[\\\x00-\x1f\x7f]+")
__all__ = ["address_of", "problems", "wanted_of"]


def problems(news: Properties) -> Iterator[Problem]:
    """Reasons to refuse, found in the inputs themselves."""
    if known(news, "name") and not NAME.fullmatch(str(news["name"])):
        yield Problem(property="name", reason=f"{news['name']!r}, expected small letters, digits, - and _")
    env = news.get("env")
    for name in env if isinstance(env, dict) else ():
        if not ENV_NAME.fullmatch(name):
            yield Problem(property="env", reason=f"{name!r}, expected a name such as LOG_LEVEL")
    if isinstance(news.get("ref"), str) and not REF.fullmatch(str(news["ref"])):
        yield Problem(property="ref", reason=f"{news['ref']!r}, expected refs/heads/<branch> or refs/tags/<tag>")
    if isinstance(news.get("inline"), str) and (reason := _not_compose(str(news["inline"]))):
        yield Problem(property="inline", reason=reason)


def wanted_of(inputs: Properties, webhook: str) -> Wanted:
    """The stack that checked inputs mean."""
    git = inputs.get("inline") is None
    return Wanted(
        name=str(inputs["name"]),
        owner=str(inputs["owner"]),
        env={name: str(value) for name, value in (inputs.get("env") or {}).items()},
        inline=None if git else str(inputs["inline"]),
        source=_source(inputs) if git else None,
        repository=repository_of(inputs) if git else None,
        commit=str(inputs.get("commit") or ""),
        gated=bool(inputs.get("gated")),
        update=AutoUpdate(interval=str(inputs.get("interval") or ""), webhook=webhook if git else ""),
        adopt=bool(inputs.get("adopt")),
        allowed_paths=tuple(inputs.get("allowedPaths") or ()),
        timeout_s=float(inputs.get("timeoutS") or 180),
        secrets=(*(inputs.get("hide") or ()), str(inputs.get("password") or "")),
    )


def _source(inputs: Properties) -> GitSource:
    return GitSource(
        url=str(inputs["url"]),
        ref=str(inputs["ref"]),
        path=str(inputs["path"]),
        additional=tuple(inputs.get("additional") or ()),
        user=str(inputs.get("user") or ""),
        password=str(inputs.get("password") or ""),
    )


def _not_compose(text: str) -> str | None:
    try:
        found: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return f"not YAML: {' '.join(str(error).split())[:300]}"
    if not isinstance(found, dict) or not isinstance(found.get("services"), dict) or not found["services"]:
        return "no compose file: expected a mapping with `services`"
    return None
