"""From settings to stacks: four lines are enough, and everything that cannot be is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioning.images.lock import Lock, Locked, write_lock
from settings import SettingsError, load_program

SOURCES = ["10.77.0.0/24"]
GUESTBOOK: dict[str, Any] = {"project": "guestbook", "ports": {"web": 8080}, "sources": SOURCES}
GROUP: dict[str, Any] = {"prefix": "vm-app", "first_id": 1100, "networks": [{"bridge": "vmbr0"}]}
TEXT = "services: {web: {image: 'registry.example.com/x:1', labels: [mine=yes]}}\n"


@pytest.fixture(autouse=True)
def site(lab_site: Path, tmp_path: Path) -> Path:
    """The lab's site with a lock that is there without a lab."""
    lock = tmp_path / "images.lock.yaml"
    keys = ("portainer", "postgres", "guestbook-api", "guestbook-web")
    images = {
        key: Locked(repository=f"hypercompose/{key}", digest=f"sha256:{n * 64}")
        for n, key in zip("abcd", keys, strict=True)
    }
    write_lock(lock, Lock(registry="registry.lab.internal:5000", images=images))
    lab_site.write_text(lab_site.read_text().replace(".lab/images.lock.yaml", str(lock)))
    return lab_site


def program(count: int = 1, **settings: Any) -> Any:
    whole = {
        "vms": [{**GROUP, "count": count}],
        "docker": {},
        "portainer": {"sources": SOURCES},
        "stacks": {"guestbook": GUESTBOOK},
        **settings,
    }
    given = {f"hypercompose:{key}": json.dumps(value) for key, value in whole.items() if value is not None}
    raw = {"hypercompose:site": "lab", **given}
    return load_program("dev", raw)


def refusal(**settings: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        program(**settings)
    return str(caught.value)


def test_four_lines_make_a_stack_with_digests_labels_and_an_open_port() -> None:
    found = program()
    plan = found.stacks[0]
    assert (plan.name, plan.host, plan.env["GUESTBOOK_PORT"]) == ("guestbook", "vm-app-1", "8080")
    services = yaml.safe_load(plan.files["compose.yaml"])["services"]
    assert services["db"]["image"] == f"registry.lab.internal:5000/hypercompose/postgres@sha256:{'b' * 64}"
    assert services["web"]["labels"] == {
        "hypercompose.env": "dev",
        "hypercompose.stack": "guestbook",
        "hypercompose.tenant": "lab",
        "hypercompose.instance": "guestbook",
        "hypercompose.product": "guestbook",
    }
    assert set(plan.files) == {"compose.yaml"}
    assert found.hosts[0].docker.published == {
        "portainer": {"ports": ["9443/tcp"], "sources": SOURCES},
        "guestbook-web": {"ports": ["8080/tcp"], "sources": SOURCES},
    }
    assert found.portainers["vm-app-1"].image.startswith("registry.lab.internal:5000/hypercompose/portainer@sha256:")


def test_what_is_rendered_needs_no_anchors_and_no_extensions() -> None:
    text = program().stacks[0].files["compose.yaml"]
    assert text.startswith("# Published by Hypercompose from compose/guestbook;")
    assert "&" not in text and "x-confined" not in text


def test_of_several_hosts_one_has_to_be_named() -> None:
    expected = "stacks.guestbook.host: missing, expected one of the hosts with Portainer (vm-app-1, vm-app-2)"
    assert expected in refusal(count=2)
    assert program(count=2, stacks={"guestbook": {**GUESTBOOK, "host": "vm-app-2"}}).stacks[0].host == "vm-app-2"


def test_without_portainer_there_is_nowhere_to_run() -> None:
    assert "none has it; add `portainer`" in refusal(portainer=None)


def test_portainer_needs_docker_and_a_host_may_do_without() -> None:
    assert program(docker=None, stacks={}).portainers == {}
    assert program(vms=[{**GROUP, "portainer": None}], stacks={}).portainers == {}
    own = {**GROUP, "docker": None, "portainer": {"sources": SOURCES}}
    assert "vms[0].portainer" in refusal(vms=[own], stacks={})


def test_an_inline_stack_gets_labels_and_keeps_images_of_its_own() -> None:
    plan = program(stacks={"x": {"inline": TEXT, "tenant": "acme"}}).stacks[0]
    web = yaml.safe_load(plan.inline)["services"]["web"]
    assert web["image"] == "registry.example.com/x:1"
    assert web["labels"]["mine"] == "yes"
    assert web["labels"]["hypercompose.tenant"] == "acme"


@pytest.mark.parametrize(
    ("stack", "text"),
    [
        ({}, "exactly one of project, git and inline, not none"),
        ({"project": "guestbook", "inline": TEXT}, "exactly one of project, git and inline, not project and inline"),
        ({"project": "guestbock"}, "compose/guestbock: no compose.yaml there; projects are guestbook"),
        ({"project": "guestbook", "ports": {"web": 8080}}, "`sources`, the networks that may reach its ports"),
        ({**GUESTBOOK, "ports": {"wep": 80}}, "stacks.x.ports.wep: 80, expected one of web; see compose/guestbook/"),
        ({**GUESTBOOK, "env": {"NONE": "1"}}, 'stacks.x.env.NONE: "1", expected one of GUESTBOOK_PORT'),
        ({"inline": "services: ["}, "stacks.x: inline: not YAML"),
        ({"inline": "web: {}"}, "stacks.x: inline: services: missing, expected a mapping of services"),
        ({"inline": "services: {a: {build: .}}"}, "services.a.image: missing, expected a key of the image lock"),
        ({"inline": "services: {a: {image: postgers}}"}, "did you mean 'postgres'?"),
        ({"git": {"url": "git@x:y"}}, "stacks.x.git.url"),
        ({"git": {"url": "https://x/y", "ref": "main"}}, "stacks.x.git.ref"),
        ({**GUESTBOOK, "poll": "often"}, "stacks.x.poll"),
        ({**GUESTBOOK, "keep_volume": True}, "stacks.x.keep_volume: unknown setting; did you mean `keep_volumes`?"),
        ({**GUESTBOOK, "tenant": "$(reboot)"}, "stacks.x.tenant"),
    ],
)
def test_what_cannot_be_is_refused_by_name(stack: dict[str, Any], text: str) -> None:
    assert text in refusal(stacks={"x": stack})


def test_two_stacks_cannot_have_one_port_on_one_host() -> None:
    text = refusal(stacks={"a": GUESTBOOK, "b": GUESTBOOK})
    assert "stacks.b.ports.web: 8080, expected a port that no other stack has; a has it on vm-app-1" in text


def test_a_project_needs_a_repository_to_be_published_to(site: Path) -> None:
    site.write_text(site.read_text().replace("  repository: hypercompose/deployments\n", ""))
    assert "expected git.repository in sites/lab.yaml" in refusal()


def test_a_lock_that_is_not_there_names_the_command_that_writes_it(site: Path, tmp_path: Path) -> None:
    (tmp_path / "images.lock.yaml").unlink()
    assert "is not there; `make images` writes it" in refusal()


def test_a_release_is_accepted_with_a_reason_and_a_date_alone(site: Path) -> None:
    site.write_text(site.read_text().replace('until: "2027-12-31"', 'until: "some day"'))
    assert "portainer.accept[0].until" in refusal()
