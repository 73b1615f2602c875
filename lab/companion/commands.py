"""`python -m lab companion NAME WHAT`: one Windows companion of a running lab, as tests and people handle it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import docker

from lab import dockerd
from lab.companion.place import Place, place_of
from lab.companion.power import Power
from lab.site import Site
from setup.report import SetupError


def command(site: Site, words: Sequence[str]) -> None:
    """Do what the words say: a companion's name, and one of the known actions."""
    if len(words) != 2 or words[1] not in _ACTIONS:
        raise SetupError(f"companion: expected a name and one of {', '.join(_ACTIONS)}, found {' '.join(words)!r}.")
    _ACTIONS[words[1]](place_of(site, words[0]), dockerd.connect())


def _show(place: Place, _: docker.DockerClient) -> None:
    print(json.dumps(place.described(), indent=1, ensure_ascii=False))


def _files(place: Place, _: docker.DockerClient) -> None:
    print(place.files)


def _calls(place: Place, _: docker.DockerClient) -> None:
    print(place.calls.read_text(), end="")


def _start(place: Place, client: docker.DockerClient) -> None:
    Power(place.site, client).on(place)


def _stop(place: Place, client: docker.DockerClient) -> None:
    Power(place.site, client).off(place)


def _reset(place: Place, _: docker.DockerClient) -> None:
    """Whether it runs or not: who has a file open keeps what he has."""
    place.reset()


_ACTIONS: dict[str, Callable[[Place, docker.DockerClient], None]] = {
    "show": _show,
    "files": _files,
    "calls": _calls,
    "start": _start,
    "stop": _stop,
    "reset": _reset,
}
