"""The docker program as it is called: what it is given, what is made of what it says."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.images.build import BuildFailed, Docker, logged_in, source_hash
from provisioning.images.registry import Registry

DIGEST = f"sha256:{'c3' * 32}"
FAKE = f"""#!{sys.executable}
import json, os, pathlib, sys, time
room = pathlib.Path(__file__).parent
told = {{"argv": sys.argv[1:], **{{name: os.environ.get(name) for name in ("DOCKER_HOST", "DOCKER_BUILDKIT")}}}}
with (room / "calls").open("a") as calls:
    calls.write(json.dumps(told) + "\\n")
plan = json.loads((room / "plan").read_text()).get(sys.argv[1], {{}})
print(plan.get("out", ""))
print(plan.get("err", ""), file=sys.stderr)
time.sleep(plan.get("sleep", 0))
sys.exit(plan.get("exit", 0))
"""


@dataclass
class Program:
    """A docker program that does as planned, command by command."""

    room: Path

    def plan(self, **commands: dict[str, object]) -> None:
        (self.room / "plan").write_text(json.dumps(commands))

    def docker(self, engine: str = "") -> Docker:
        return Docker(str(self.room / "docker"), self.room, engine)

    def calls(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.room / "calls").read_text().splitlines()]

    def argvs(self) -> list[object]:
        return [call["argv"] for call in self.calls()]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "docker").write_text(FAKE)
    (tmp_path / "docker").chmod(0o755)
    made = Program(tmp_path)
    made.plan()
    return made


def test_a_build_is_given_base_labels_tag_and_folder(program: Program) -> None:
    program.docker().build("web", Path("/images/web"), base="debian:x", tag="t:1", labels=["a=1", "b=2"])
    assert program.argvs() == [
        "build --quiet --network host --build-arg BASE=debian:x --label a=1 --label b=2 --tag t:1 /images/web".split()
    ]


@pytest.mark.parametrize("engine", ["", "unix:///run/other.sock"])
def test_another_engine_is_used_only_where_one_is_named(
    program: Program, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    program.docker(engine).run("web", ["version"], 10)
    assert program.calls() == [{"argv": ["version"], "DOCKER_HOST": engine or None, "DOCKER_BUILDKIT": "0"}]


def test_a_push_gives_the_registrys_digest_and_leaves_no_second_tag(program: Program) -> None:
    program.plan(push={"out": f"layer: Pushed\n1.0: digest: {DIGEST} size: 528"})
    assert program.docker().push("web", "t:1", "r/team/web:1") == DIGEST
    assert program.argvs() == [["tag", "t:1", "r/team/web:1"], ["push", "r/team/web:1"], ["rmi", "r/team/web:1"]]


def test_the_second_tag_goes_after_a_push_that_failed_as_well(program: Program) -> None:
    program.plan(push={"exit": 1, "err": "denied"}, rmi={"exit": 1, "err": "no such image"})
    with pytest.raises(BuildFailed, match="images: web: docker push failed: denied"):
        program.docker().push("web", "t:1", "r/team/web:1")
    assert program.argvs()[-1] == ["rmi", "r/team/web:1"]


@pytest.mark.parametrize("said", ["", "done", "digest: sha256:12 size: 5"])
def test_a_push_without_a_digest_is_a_failure_of_that_image(program: Program, said: str) -> None:
    program.plan(push={"out": said})
    with pytest.raises(BuildFailed, match="images: web: the registry told no digest"):
        program.docker().push("web", "t:1", "r/team/web:1")


def test_of_a_long_output_the_last_lines_are_shown_and_no_more(program: Program) -> None:
    lines = [f"<step {number}>" for number in range(100)] + ["E: no such package"]
    program.plan(build={"exit": 100, "err": "\n".join(lines)})
    with pytest.raises(BuildFailed) as raised:
        program.docker().build("web", Path("/x"), base="b", tag="t")
    said = str(raised.value)
    assert said.startswith("images: web: docker build failed: <step 89> | ") and said.endswith(" | E: no such package")


def test_a_failure_that_went_to_standard_output_is_shown_too(program: Program) -> None:
    program.plan(build={"exit": 1, "out": "no space left on device"})
    with pytest.raises(BuildFailed, match="docker build failed: no space left on device"):
        program.docker().build("web", Path("/x"), base="b", tag="t")


def test_a_command_that_hangs_ends_with_key_command_and_seconds(program: Program) -> None:
    program.plan(build={"sleep": 30})
    with pytest.raises(BuildFailed, match=r"images: web: docker build did not end within 0 s"):
        program.docker().run("web", ["build"], 0.3)


def test_nobody_logs_in_where_the_registry_has_no_user(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program.room}{os.pathsep}{os.environ['PATH']}")
    with logged_in(Registry(host="r")) as docker:
        folder = docker.config
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not (program.room / "calls").exists() and not folder.exists()


def test_the_folder_with_the_login_goes_when_the_block_fails(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program.room}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(RuntimeError, match="inside"), logged_in(Registry(host="r", user="u", password="p")) as docker:
        folder = docker.config
        raise RuntimeError("inside")
    assert not folder.exists() and program.argvs() == [["login", "--username", "u", "--password-stdin", "r"]]


def test_a_machine_without_docker_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildFailed, match="docker is not installed on this machine"), logged_in(Registry(host="r")):
        pass


def test_the_hash_of_a_source_does_not_depend_on_the_order_in_which_files_were_made(tmp_path: Path) -> None:
    for room, names in (("one", ["Dockerfile", "a", "sub/z"]), ("two", ["sub/z", "a", "Dockerfile"])):
        for name in names:
            (tmp_path / room / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / room / name).write_text(name)
    assert source_hash(tmp_path / "one", "base") == source_hash(tmp_path / "two", "base")


def test_the_hash_of_a_source_ignores_dates_and_bits_that_no_image_keeps(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").chmod(0o644)
    before = source_hash(tmp_path, "base")
    (tmp_path / "a").chmod(0o600)
    os.utime(tmp_path / "a", (0, 0))
    assert source_hash(tmp_path, "base") == before
