"""Which stacks a change touches, from a real git history."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from delivery.review.affected import Affected, Stacks, changed_files, main
from setup.places import CHECKOUT

STACKS = {
    "acceptance": ("main", "acceptance", "guestbook"),
    "casino-a": ("main", "client", None),
    "casino-b": ("south", "client", "slots"),
    "lab": ("lab", "acceptance", "guestbook"),
    "odd": ("lab-e2e", "", "guestbook"),
}
EVERY = ("acceptance", "casino-a", "casino-b")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for stack, (site, environment, project) in STACKS.items():
        stacks = f"\n  hypercompose:stacks: {{app: {{project: {project}}}}}" if project else ""
        own = f"config:\n  hypercompose:site: {site}\n  hypercompose:class: {environment}{stacks}\n"
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(own)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "client.yaml").write_text("extends: base\nstacks: {jackpot: {project: jackpot}}\n")
    (tmp_path / "environments" / "base.yaml").write_text("extends: client\n")  # in a circle: its preview says so
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "south.yaml").write_text("defaults: {stacks: {roulette: {project: roulette}}}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "stacks"),
    [
        ("Pulumi.casino-a.yaml", ("casino-a",)),
        ("sites/main.yaml", ("acceptance", "casino-a")),
        ("sites/main.images.yaml", ("acceptance", "casino-a")),
        ("environments/client.yaml", ("casino-a", "casino-b")),
        ("environments/base.yaml", ("casino-a", "casino-b")),  # their class stands on it
        ("environments/unknown.yaml", ()),
        ("compose/roulette/compose.yaml", ("casino-b",)),  # its site names it
        ("compose/guestbook/compose.yaml", ("acceptance",)),
        ("compose/jackpot/deep/file", ("casino-a", "casino-b")),  # their class names it
        ("compose/slots/project.yaml", ("casino-b",)),
        ("compose/unknown/compose.yaml", ()),
        ("components/bridge.py", EVERY),
        ("provider/diff.py", EVERY),
        ("settings/stack.py", EVERY),
        ("__main__.py", EVERY),
        ("uv.lock", EVERY),
        ("Pulumi.yaml", EVERY),
        ("a-new-folder/x.py", EVERY),  # what is not known may matter
        ("docs/review.md", ()),
        ("README.md", ()),
        ("tests/test_x.py", ()),
        ("delivery/review/names.py", ()),
        ("images/guestbook-web/Dockerfile", ()),
        ("bitbucket-pipelines.yml", ()),
        ("Pulumi.lab.yaml", ()),
        ("sites/lab.yaml", ()),
    ],
)
def test_a_file_touches(checkout: Path, file: str, stacks: tuple[str, ...]) -> None:
    assert Stacks(checkout).affected([file]).stacks == stacks


def test_the_files_of_this_checkout_are_all_sorted() -> None:
    """Whatever is at its top is either told here, or counts for every stack."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.split()
    stacks = Stacks(CHECKOUT)
    everything = set(stacks.configs)
    by_all = {file.partition("/")[0] for file in listed if set(stacks.affected([file]).stacks) == everything}
    assert {"components", "provider", "provisioning", "settings", "__main__.py", "pyproject.toml", "uv.lock"} <= by_all
    assert not by_all & {"docs", "tests", "lab", "delivery", "setup", "README.md", "CHANGELOG.md", "Makefile"}


def test_settings_that_are_gone_are_said(checkout: Path) -> None:
    assert Stacks(checkout).affected(["Pulumi.old.yaml"]) == Affected(stacks=(), removed=("old",))


def test_settings_that_cannot_be_read_still_count(checkout: Path) -> None:
    (checkout / "Pulumi.broken.yaml").write_text("config: [")
    assert "broken" in Stacks(checkout).affected(["Pulumi.broken.yaml"]).stacks
    assert "broken" in Stacks(checkout).affected(["__main__.py"]).stacks


def test_a_sample_has_one_of_each_environment_first(checkout: Path) -> None:
    for number in range(20):
        (checkout / f"Pulumi.aa-{number:02}.yaml").write_text(
            "config: {hypercompose:site: main, hypercompose:class: client}"
        )
    stacks = Stacks(checkout)
    chosen, left_out = stacks.affected(["__main__.py"]).sample(3, stacks.environments())
    assert chosen == ["aa-00", "acceptance", "casino-b"]
    assert len(left_out) == 20
    assert sorted([*chosen, *left_out]) == list(stacks.configs)


def test_without_a_limit_all_are_taken(checkout: Path) -> None:
    stacks = Stacks(checkout)
    assert stacks.affected(["__main__.py"]).sample(None, stacks.environments()) == (list(EVERY), [])


def test_hundreds_of_stacks_are_sorted_in_no_time(checkout: Path) -> None:
    for number in range(320):
        own = (checkout / "Pulumi.casino-a.yaml").read_text()
        (checkout / f"Pulumi.client-{number}.yaml").write_text(own)
    began = time.monotonic()
    found = Stacks(checkout).affected(["environments/client.yaml", "compose/jackpot/x", "uv.lock"])
    assert len(found.stacks) == 323
    assert time.monotonic() - began < 2


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(checkout: Path) -> Path:
    git(checkout, "init", "-q", "-b", "main")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "one")
    git(checkout, "checkout", "-qb", "change")
    return checkout


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "more")


def test_only_what_the_change_did_counts(repository: Path) -> None:
    (repository / "Pulumi.casino-a.yaml").rename(repository / "Pulumi.casino-z.yaml")
    (repository / "docs é|x").write_text("x")
    commit(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "__main__.py").write_text("other people's work")
    commit(repository)
    git(repository, "checkout", "-q", "change")
    assert changed_files("main", "HEAD", repository) == ["Pulumi.casino-a.yaml", "Pulumi.casino-z.yaml", "docs é|x"]


def test_the_command_tells_all_three_lists(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "Pulumi.casino-a.yaml").unlink()
    (repository / "uv.lock").write_text("x")
    commit(repository)
    assert main(["--base=main", f"--checkout={repository}", "--limit=1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"stacks": ["acceptance"], "left_out": ["casino-b"], "removed": ["casino-a"]}


@pytest.mark.parametrize("base", ["nowhere", "--output=/tmp/x", "$(reboot)"])
def test_a_base_that_is_none_says_what_to_do(repository: Path, base: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--base={base}", f"--checkout={repository}"]) == 1
    assert "fetch the destination branch" in capsys.readouterr().err
