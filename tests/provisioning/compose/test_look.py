"""A host is asked what compose makes of the files; what speaks against running them is found in its answer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioning.compose import look as module
from provisioning.compose.look import ComposeRefused, Project, Seen, look, objections, pull
from provisioning.compose.model import Model, Port
from provisioning.host import Address, Result

EVERYWHERE = "0.0.0.0"  # noqa: S104  nothing listens
ADDRESS = Address(host="10.0.0.9", user="ops", host_key="ssh-ed25519 AAAA")
INSIDE = "/run/hypercompose-compose.Ab12Cd/project"
PROJECT = Project(name="shop", files={"compose.yaml": "services: {}"}, order=["compose.yaml"])


class Host:
    """Answers every program alike."""

    def __init__(self, *lines: str, exit_code: int = 0, stderr: str = "") -> None:
        self.answer = Result(exit_code, "".join(f"{line}\n" for line in lines), stderr)
        self.asked: list[tuple[str, float]] = []

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        self.asked.append((program, timeout_s))
        return self.answer


def seen(model: Mapping[str, Any], listeners: Sequence[str] = (), theirs: Sequence[str] = ()) -> Seen:
    text = json.dumps(model, ensure_ascii=False)
    host = Host(INSIDE, text, *listeners, "containers", *theirs)
    return look(host, ADDRESS, PROJECT)  # type: ignore[arg-type]


def against(
    model: Mapping[str, Any], *, listeners: Sequence[str] = (), theirs: Sequence[str] = (), allowed: Sequence[str] = ()
) -> list[str]:
    project = Project(name="shop", files={}, order=[], allowed_paths=allowed)
    return list(objections(project, seen(model, listeners, theirs)))


def publishing(**entry: Any) -> dict[str, Any]:
    return {"services": {"web": {"image": "web:1", "ports": [{"published": "8080", **entry}]}}}


def binding(*sources: str) -> dict[str, Any]:
    return {"services": {"web": {"volumes": [{"type": "bind", "source": source} for source in sources]}}}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("shop|running|0.0.0.0:8080->80/tcp", [Port("tcp", EVERYWHERE, 8080)]),
        (
            "shop|running|0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
            [Port("tcp", EVERYWHERE, 8080), Port("tcp", "::", 8080)],
        ),
        ("shop|running|:::8080->80/tcp", [Port("tcp", "::", 8080)]),
        ("shop|running|127.0.0.1:53->53/udp", [Port("udp", "127.0.0.1", 53)]),
        ("shop|running|[::1]:53->53/udp", [Port("udp", "::1", 53)]),
        (
            "shop|running|0.0.0.0:9000-9002->80-82/tcp",
            [Port("tcp", EVERYWHERE, 9000), Port("tcp", EVERYWHERE, 9001), Port("tcp", EVERYWHERE, 9002)],
        ),
        ("shop|running|80/tcp, 443/tcp", []),
        ("shop|running|9000-9002/tcp", []),
        ("shop|exited|", []),
        ("shop|running|80/tcp, 0.0.0.0:81->81/tcp", [Port("tcp", EVERYWHERE, 81)]),
    ],
)
def test_ports_of_containers_are_read_as_docker_prints_them(line: str, found: list[Port]) -> None:
    answer = seen({}, theirs=[line])
    assert answer.taken == tuple((port, "shop") for port in found)
    assert answer.projects == {"shop"}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("tcp 0.0.0.0:22", Port("tcp", EVERYWHERE, 22)),
        ("tcp [::]:22", Port("tcp", "::", 22)),
        ("tcp *:9443", Port("tcp", "*", 9443)),
        ("udp 127.0.0.53%lo:53", Port("udp", "127.0.0.53", 53)),
        ("udp [fe80::1%eth0]:546", Port("udp", "fe80::1", 546)),
        ("udp 0.0.0.0:*", None),
        ("", None),
    ],
)
def test_listeners_are_read_as_ss_prints_them(line: str, found: Port | None) -> None:
    assert seen({}, listeners=[line]).taken == (((found, ""),) if found else ())


def test_a_zone_behind_the_brackets_is_no_part_of_the_address() -> None:
    assert seen({}, listeners=["udp [fe80::1]%eth0:546"]).taken == ((Port("udp", "fe80::1", 546), ""),)


def test_a_model_with_a_line_separator_in_a_value_is_one_line() -> None:
    assert seen({"name": "a\u2028b"}).model.content == {"name": "a\u2028b"}


def test_a_model_with_a_next_line_character_in_a_value_is_one_line() -> None:
    assert seen({"name": "a\x85b"}).model.content == {"name": "a\x85b"}


def test_nothing_speaks_against_named_volumes_and_free_ports() -> None:
    model = publishing() | {"volumes": {"data": {}}}
    assert against(model, listeners=["tcp 0.0.0.0:22", "udp 0.0.0.0:8080"], theirs=["other|running|80/tcp"]) == []


def test_a_path_beside_the_compose_file_is_told_as_it_was_written() -> None:
    (told,) = against(binding(f"{INSIDE}/conf/nginx.conf"))
    assert told.startswith("services.web.volumes: conf/nginx.conf, expected a named volume or an image that holds it")


def test_the_folder_of_the_compose_file_is_told_as_it_was_written() -> None:
    (told,) = against(binding(INSIDE))
    assert INSIDE not in told


@pytest.mark.parametrize(
    "path",
    [
        "/etc",
        "/",
        "/run/hypercompose-compose.Ab12Cd",
        "/run/hypercompose-compose.Ab12Cd/project-of-others",
        "/srv/shop/../../etc",
        "/srv/shopping",
        "relative",
        "//srv/shop",
    ],
)
def test_a_path_of_the_host_outside_of_what_is_allowed_is_refused(path: str) -> None:
    (told,) = against(binding(path), allowed=["/srv/shop"])
    assert told == (
        f"services.web.volumes: {path}, expected no path of the host outside the project; "
        "use a named volume or a secret"
    )


@pytest.mark.parametrize("path", ["/srv/shop", "/srv/shop/data", "/srv/shop/"])
def test_a_path_that_is_allowed_is_taken(path: str) -> None:
    assert against(binding(path), allowed=["/srv/shop"]) == []


def test_every_kind_of_path_is_looked_at() -> None:
    model = {
        "services": {"web": {"devices": [{"source": "/dev/kvm"}]}},
        "secrets": {"key": {"file": "/etc/shadow"}},
        "volumes": {"data": {"driver_opts": {"o": "bind", "device": "/var"}}},
    }
    where = [told.partition(":")[0] for told in against(model)]
    assert where == ["services.web.devices", "secrets.key.file", "volumes.data.driver_opts.device"]


@pytest.mark.parametrize(
    ("listeners", "theirs", "told"),
    [
        (["tcp 0.0.0.0:8080"], [], "another program"),
        (["tcp *:8080"], [], "another program"),
        (["tcp 127.0.0.1:8080"], [], "another program"),
        (["tcp [::]:8080"], ["other|running|[::]:8080->80/tcp"], "the compose project other"),
        ([], ["other|running|0.0.0.0:8080->80/tcp"], "the compose project other"),
        ([], ["other|running|0.0.0.0:8000-8090->1-91/tcp"], "the compose project other"),
    ],
)
def test_a_taken_port_is_told_with_its_holder(listeners: list[str], theirs: list[str], told: str) -> None:
    assert against(publishing(), listeners=listeners, theirs=theirs) == [
        f"port 8080/tcp: taken by {told} on the host; choose another port, or stop that"
    ]


def test_a_port_at_another_address_is_free() -> None:
    assert against(publishing(host_ip="10.0.0.1"), listeners=["tcp 10.0.0.2:8080"]) == []


def test_ports_of_the_project_itself_are_its_own() -> None:
    listeners = ["tcp 0.0.0.0:8080", "tcp [::]:8080"]
    assert (
        against(publishing(), listeners=listeners, theirs=["shop|running|0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"])
        == []
    )


def test_a_port_of_the_project_itself_is_its_own_however_ss_shows_it() -> None:
    theirs = ["shop|running|0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"]
    assert against(publishing(), listeners=["tcp *:8080"], theirs=theirs) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("yaml: line 3: mapping values are not allowed\n", "yaml: line 3: mapping values are not allowed"),
        ('time="x" level=warning msg="unset"\nservice "web" has no image\n', 'service "web" has no image'),
        ('time="x" level=warning msg="unset"\n', 'time="x" level=warning msg="unset"'),
        ("one\n\ntwo\nthree\nfour\n", "two | three | four"),
        (f"open {INSIDE}/more.yaml: no such file\n", "open more.yaml: no such file"),
        ("", "compose failed without a word"),
    ],
)
def test_files_that_compose_does_not_take_are_told_in_its_words(said: str, told: str) -> None:
    with pytest.raises(ComposeRefused) as refused:
        look(Host(exit_code=1, stderr=said), ADDRESS, PROJECT)  # type: ignore[arg-type]
    assert str(refused.value) == f"compose files: {told}"
    with pytest.raises(ComposeRefused, match="images: cannot be pulled: "):
        pull(Host(exit_code=1, stderr=said), ADDRESS, PROJECT)  # type: ignore[arg-type]


def test_pulling_has_more_time_than_looking() -> None:
    host = Host()
    pull(host, ADDRESS, PROJECT)  # type: ignore[arg-type]
    assert host.asked[0][1] == module.PULL_TIMEOUT_S > module.LOOK_TIMEOUT_S


FAKE_DOCKER = """#!/bin/bash
# Prints what it got, each followed by NUL.
case $1 in
ps) printf '%s\\n' 'other|running|0.0.0.0:81->80/tcp'; exit ;;
esac
{
    printf '%s\\0' "$#" "$@"
    while [ $# -gt 0 ]; do
        case $1 in
        --file | --env-file) printf '%s\\0' "$(cat -- "$2"; printf .)"; shift ;;
        esac
        shift
    done
} >>"$FAKE_DOCKER_SAID"
echo '{'
echo '"services": {}}'
"""


class Here:
    """The host is a bash of this machine, with programs of ours in front and a room of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.said, self.bin = folder, folder / "said", folder / "bin"
        self.bin.mkdir()
        self.room = folder / "run"
        self.room.mkdir()
        self.program("docker", FAKE_DOCKER)
        self.rebooted = folder / "rebooted"
        self.program("reboot", f"#!/bin/sh\ntouch {self.rebooted}\n")
        self.program("ss", "#!/bin/sh\necho 'tcp LISTEN 0 4096 0.0.0.0:22 0.0.0.0:*'\n")

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "FAKE_DOCKER_SAID": str(self.said)}
        here = program.replace("/run/hypercompose-compose.", f"{self.room}/hypercompose-compose.")
        done = subprocess.run(["bash", "-s"], input=here, env=env, cwd=self._folder, capture_output=True, text=True)
        return Result(done.returncode, done.stdout, done.stderr)

    def got(self) -> list[str]:
        return self.said.read_text().split("\0")[:-1]


HOSTILE = [
    "$(reboot)",
    "`reboot`",
    "; reboot #",
    'it\'s "quoted"',
    "two\nlines\n\n",
    "back\\slash\\n",
    "${PATH} $HOME",
    "'; reboot; '",
    "%s %n",
    "-rf",
    " spaces  ",
    "*",
    "@",
    "end]=x",
    "naïve ☃",
    "}\nreboot\n",
]


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_contents_and_values_arrive_as_they_are(here: Here, text: str) -> None:
    nested = f"sub {text}./{text}"
    files = {"compose.yaml": text, nested: text + text, text: "beside"}
    project = Project(name="shop", files=files, order=["compose.yaml", nested], env={"A": text})
    answer = look(here, ADDRESS, project)  # type: ignore[arg-type]
    count, *rest = here.got()
    arguments, contents = rest[: int(count)], rest[int(count) :]
    inside = answer.inside
    assert arguments == [
        *("compose", "--ansi", "never", "--project-name", "shop", "--project-directory", inside),
        *("--env-file", f"{inside.removesuffix('/project')}/stack.env"),
        *("--file", f"{inside}/compose.yaml", "--file", f"{inside}/{nested}"),
        *("config", "--format", "json"),
    ]
    env, first, second = contents
    assert (first, second) == (f"{text}.", f"{text}{text}.")
    assert env.startswith("A=") and env.endswith("\n.")
    assert not here.rebooted.exists()


def test_a_folder_whose_name_ends_with_a_line_end_is_made(here: Here) -> None:
    files = {"compose.yaml": "", "folder\n/more.yaml": ""}
    look(here, ADDRESS, Project(name="shop", files=files, order=["compose.yaml"]))  # type: ignore[arg-type]


def test_a_host_answers_with_model_listeners_and_containers_and_keeps_nothing(here: Here) -> None:
    answer = look(here, ADDRESS, PROJECT)  # type: ignore[arg-type]
    assert answer.model == Model({"services": {}})
    assert answer.taken == ((Port("tcp", EVERYWHERE, 81), "other"), (Port("tcp", EVERYWHERE, 22), ""))
    assert answer.projects == {"other"}
    assert list(here.room.iterdir()) == []


def test_what_a_host_holds_meanwhile_is_for_root_alone(here: Here) -> None:
    (here.bin / "docker").write_text(
        '#!/bin/bash\ncase $1 in ps) exit ;; esac\nfind "$7" "$9" -printf "%m %f\\n" >>"$FAKE_DOCKER_SAID"\necho "{}"\n'
    )
    look(here, ADDRESS, PROJECT)  # type: ignore[arg-type]
    modes = dict(line.split()[::-1] for line in here.said.read_text().splitlines())
    assert modes == {"project": "700", "compose.yaml": "600", "stack.env": "600"}


def test_pulling_fetches_what_is_missing_and_asks_nothing_else(here: Here) -> None:
    pull(here, ADDRESS, PROJECT)  # type: ignore[arg-type]
    count, *rest = here.got()
    assert rest[: int(count)][-4:] == ["pull", "--quiet", "--policy", "missing"]
    assert len(rest) == int(count) + 2
    assert list(here.room.iterdir()) == []


def test_compose_that_fails_ends_the_program_with_its_words_and_keeps_nothing(here: Here) -> None:
    (here.bin / "docker").write_text("#!/bin/sh\necho 'service web has neither an image nor a build' >&2\nexit 15\n")
    for ask in (look, pull):
        with pytest.raises(ComposeRefused, match="service web has neither an image nor a build"):
            ask(here, ADDRESS, PROJECT)  # type: ignore[arg-type]
    assert list(here.room.iterdir()) == []


def test_a_program_that_was_cut_on_its_way_does_nothing(here: Here) -> None:
    program = module.program(PROJECT, pull=False)
    here.ask(ADDRESS, program[: len(program) * 3 // 4], 5)
    assert not here.said.exists() and list(here.room.iterdir()) == []


def test_values_are_not_shown() -> None:
    assert "hunter2" not in repr(Project(name="a", files={}, order=[], env={"A": "hunter2"}))
