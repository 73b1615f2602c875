"""Portainer and stacks in the graph: in which order, with which inputs, and what of them is secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from components.hosts import HostAccess, build_host, existing_connection
from components.secrets import Secrets, _stack_secrets
from components.site_access import SiteAccess
from components.stacks import Applications, Ground
from provider.resources.portainer.access import Access
from provider.resources.portainer.gated_stack import GatedStack, settings_of
from provider.resources.portainer.registry import Registry
from provider.resources.portainer.stack_inputs import problems, wanted_of
from provider.resources.publication import Publication
from provisioning.steps.kinds import BY_NAME
from settings import SettingsError, load_site
from settings.docker_plan import DockerPlan, RegistryPlan
from settings.host import ExistingHost
from settings.host_plan import HostPlan
from settings.portainer import GitStack, PortainerSettings, Secret, Stack
from settings.portainer_plan import PortainerPlan
from settings.stack import StackSettings
from settings.stack_plan import StackPlan
from tests.components import recording as engine
from tests.components.recording import Recording, record

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
NOTHING_HOSTED = StackSettings(site="lab")
DIGEST = f"sha256:{'0f' * 32}"
MADE_UP, REGISTRY_PASSWORD, GIT_PASSWORD = "Canary-made-up-1", "Canary-registry", "Canary-git"
COMMIT, IMAGES = "c0ffee" * 6, {"web": f"r/web@{DIGEST}"}
OUTPUTS: dict[str, dict[str, Any]] = {
    "hypercompose:host:PortainerServer": {"certificate": "-----CERT-----", "data": "volume-1"},
    "hypercompose:host:ReleaseGate": {"certificate": "-----GATE-----"},
    "hypercompose:portainer:GatedStack": {
        "asked": COMMIT,
        "runningCommit": COMMIT,
        "release": "b" * 40,
        "images": IMAGES,
        "why": "",
    },
    "hypercompose:secret:Uuid": {"value": MADE_UP},
    "hypercompose:portainer:Access": {"apiKey": "ptr_key", "version": "2.33.8", "instanceId": "i"},
    "hypercompose:portainer:Environment": {"environmentId": 3},
    "hypercompose:portainer:Registry": {"registryId": 1},
    "hypercompose:secret:Password": {"value": MADE_UP},
    "hypercompose:git:Publication": {"commit": COMMIT},
    "hypercompose:portainer:Stack": {"stackId": 7, "running": IMAGES, "runningCommit": COMMIT, "webhook": "w"},
}
DOCKER = DockerPlan(
    repositories={"dnf": {"url": "https://mirror.example.com/9", "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"}},
    versions={"docker-ce": "26.1.5"},
    replace=False,
    daemon={},
    published={},
    undeclared="closed",
    pools=("172.20.0.0/14",),
    users=(),
    registry=RegistryPlan(host="r:5000", ca=None, user=None, proof_image="r:5000/lab/probe:1", proof_port=8080),
)
PORTAINER_SETTINGS = PortainerSettings(sources=(IPv4Network("10.0.0.0/8"),))
PORTAINER = PortainerPlan(
    image=f"r:5000/portainer@{DIGEST}",
    port=9443,
    gate_port=9444,
    snapshot_interval="5m",
    authorities="-----BEGIN CERTIFICATE-----\n",
    labels={"hypercompose.env": "dev", "hypercompose.stack": "portainer"},
    owner="hypercompose lab/dev/srv",
    accept=({"version": "2.23.0", "reason": "a stand-in", "until": "2027-12-31"},),
    registry_host="r:5000",
    registry_kind="custom",
    registry_user="robot",
)
DIRECT: dict[str, Any] = {"inline": "x", "rollout": "direct"}
GATED: dict[str, Any] = {"inline": "x", "rollout": "gated"}
FILES = {"compose.yaml": "services: {}\n", "conf/some_dir/my_file.yaml": "a_b: 1\n"}
ENV = {"log_level": "debug", "GUESTBOOK_PORT": "8080", "a_b_c": "x_y"}


def stack_plan(name: str, **parts: Any) -> StackPlan:
    given = {"files": None, "git": None, "inline": None, "env": ENV, "secrets": {}, "ports": {}, "health": {}, **parts}
    settings = given.pop("settings", DIRECT)
    return StackPlan(name=name, host="srv", settings=Stack.model_validate(settings), labels={}, **given)


BOOK = stack_plan(
    "book",
    files=FILES,
    secrets={"db_password": Secret(), "api_token": Secret(generate=40, variable=True), "given_one": Secret()},
    ports={"web": 8080, "admin_ui": 9000},
    settings={**DIRECT, "allowed_paths": ["/srv/shared_data"], "timeout_s": 60, "keep_volumes": False},
)
TEXT = stack_plan("text", inline="services: {web: {image: x}}\n")
THEIRS = stack_plan(
    "theirs",
    git=GitStack(
        url="https://git.test/a/b", ref="refs/tags/v1", path="deploy/my_app.yaml", additional=("more_x.yaml",)
    ),
    path="deploy/my_app.yaml",
    settings={**DIRECT, "poll": "5m", "adopt": True},
)


@dataclass
class Run:
    """What was registered, and what the program's outputs tell."""

    recording: Recording
    outputs: Any

    def inputs(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = plain(self.recording.inputs[name])
        return found

    def dependencies(self, name: str) -> set[str]:
        return {urn.rpartition("::")[2] for urn in self.recording.requests[name].dependencies}

    def needs(self, name: str) -> set[str]:
        """All that comes before, near and far."""
        found: set[str] = set()
        todo = [name]
        while todo:
            for before in self.dependencies(todo.pop()) - found:
                found.add(before)
                todo.append(before)
        return found

    def kind(self, name: str) -> str:
        return self.recording.types[name].partition(":")[2]


def plain(value: Any) -> Any:
    """Without the marks of secrets."""
    if rpc.is_rpc_secret(value):
        return plain(value["value"])
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, float) else value  # a mock's numbers are all floats


def open_text(value: Any) -> str:
    """Only what is not marked as a secret."""
    if rpc.is_rpc_secret(value):
        return "[secret]"
    if isinstance(value, Mapping):
        return str({name: open_text(inner) for name, inner in value.items()})
    return str([open_text(inner) for inner in value]) if isinstance(value, list) else str(value)


def register(
    *stacks: StackPlan,
    vm: bool = False,
    docker: DockerPlan | None = DOCKER,
    portainer: PortainerPlan = PORTAINER,
    password: str | None = None,
) -> Run:
    def run() -> Any:
        given = Secrets(
            api_token=None,
            ssh_private_key=None,
            registry_password=pulumi.Output.secret(REGISTRY_PASSWORD),
            git_password=pulumi.Output.secret(GIT_PASSWORD),
            portainer_password=pulumi.Output.secret(password) if password else None,
            stacks={"book": {"given_one": "Canary-given"}},
        )
        site = SiteAccess("site", load_site("lab"), given)
        access = HostAccess(
            site=site, stack="dev", site_id="lab", user="ops", registry_password=None, private_key="PRIVATE"
        )
        host = ExistingHost(name="srv", address="10.77.0.50", host_key=KEY, port=2222)
        place = existing_connection(host, access)
        place = replace(place, vm="1100", gone_with=site.claim) if vm else place
        old = replace(place, name="old", host="10.0.0.8")
        plan = HostPlan(
            name="srv", existing=host, baseline=None, docker=docker, portainer=PORTAINER_SETTINGS, commands=()
        )
        program: Any = SimpleNamespace(
            stack="dev",
            site=load_site("lab"),
            stacks=stacks,
            portainers={"srv": portainer},
            settings=NOTHING_HOSTED,
            routers={},
        )
        docker_host = build_host(plan, place, access).docker
        applications = Applications(program=program, site=site, secrets=given, places={"srv": place, "old": old})
        servers, found = applications.on(
            [Ground(host=plan, connection=place, docker=docker_host)] if docker_host else []
        )
        hidden = [pulumi.Output.from_input(one["password"].is_secret()) for one in servers.values()]
        hooks: list[Any] = list(applications.webhooks.values())
        closed = [pulumi.Output.from_input(one.is_secret()) for one in hooks]
        webhooks = {"webhooks": applications.webhooks, "closed": closed}
        return {"servers": servers, "stacks": found, "hidden": hidden, **webhooks}

    with pytest.MonkeyPatch.context() as patch:
        for kind, outputs in OUTPUTS.items():
            patch.setitem(engine.OUTPUTS, kind, outputs)
        return Run(*record(run))


@pytest.fixture(scope="module", params=["server", "vm"])
def both(request: pytest.FixtureRequest) -> Run:
    """All of it on a server that is there already, and on a VM."""
    return register(BOOK, TEXT, THEIRS, vm=request.param == "vm")


@pytest.fixture(scope="module")
def server() -> Run:
    return register(BOOK, TEXT, THEIRS)


@pytest.fixture(scope="module")
def machine() -> Run:
    return register(BOOK, TEXT, vm=True)


@pytest.fixture(scope="module")
def gated() -> Run:
    """A project and somebody's repository behind the gate of a server."""
    return register(*(replace(plan, settings=_gated(plan)) for plan in (BOOK, THEIRS)), TEXT)


def _gated(plan: StackPlan) -> Stack:
    return plan.settings.model_copy(update={"rollout": "gated"})


def ours(run: Run) -> Iterator[str]:
    """The resources of Portainer and its stacks, without components."""
    for name, request in run.recording.requests.items():
        if request.custom and ("hypercompose:portainer" in request.parent):
            yield name


def test_portainer_starts_after_its_gate_when_docker_has_proven_itself(both: Run) -> None:
    assert both.dependencies("srv-release-gate") >= {"srv-docker-proof"}
    assert both.dependencies("srv-portainer-server") >= {"srv-release-gate"}
    assert both.needs("srv-portainer-server") >= {"srv-docker-proof"}


def test_access_comes_after_the_server_and_everything_in_it_after_access(both: Run) -> None:
    assert "srv-portainer-server" in both.dependencies("srv-portainer-access")
    for part in ("settings", "environment", "registry"):
        assert "srv-portainer-access" in both.dependencies(f"srv-portainer-{part}"), part


def test_a_stack_comes_last_after_environment_registry_secrets_and_publication(both: Run) -> None:
    assert both.dependencies("book") >= {
        "srv-portainer-environment",
        "srv-portainer-registry",
        "srv-secrets-book",
        "book-files",
    }
    assert both.dependencies("srv-secrets-book") >= {"srv-portainer-environment", "srv-portainer-registry"}
    assert not any("book" in both.needs(name) for name in ours(both))


def test_nothing_that_stacks_do_not_share_makes_one_wait_for_another(both: Run) -> None:
    assert not {"book-files", "srv-secrets-book", "theirs"} & both.needs("text")


def test_publishing_needs_no_host(both: Run) -> None:
    assert both.needs("book-files") == set()


def test_names_of_others_pass_as_they_are(server: Run) -> None:
    book = server.inputs("book")
    assert set(book["env"]) == {*ENV, "SECRETS", "api_token"}
    assert {name: book["env"][name] for name in ENV} == ENV
    assert server.inputs("book-files")["files"] == FILES
    assert set(server.inputs("srv-secrets-book")["files"]) == {"db_password", "given_one"}
    assert set(book["connection"]) == {"host", "port", "user", "host_key"}
    assert server.inputs("theirs")["path"] == "deploy/my_app.yaml"
    assert server.inputs("theirs")["additional"] == ["more_x.yaml"]
    assert set(server.inputs("srv-portainer-server")["labels"]) == set(PORTAINER.labels)


def test_what_is_sent_is_what_the_provider_takes(both: Run) -> None:
    for name in ("srv-portainer-server", "srv-secrets-book"):
        kind = BY_NAME[both.kind(name).rpartition(":")[2]]
        args = {k: v for k, v in both.inputs(name).items() if k not in ("connection", "step", "vm")}
        assert list(kind.problems(args)) == [] and kind.step(name, args).name == name
    nothing: Any = None
    for name, resource in (
        ("srv-portainer-access", Access()),
        ("srv-portainer-registry", Registry()),
        ("book-files", Publication()),
    ):
        assert list(resource.check(nothing, name, {}, both.inputs(name))) == []
    for name in ("book", "text", "theirs"):
        assert list(problems(both.inputs(name))) == [] and wanted_of(both.inputs(name), "w").name == name


def test_the_session_of_every_resource_is_url_certificate_and_key(both: Run) -> None:
    session = {
        "url": "https://10.77.0.50:9443",
        "certificate": "-----CERT-----",
        "apiKey": "ptr_key",
        "data": "volume-1",
    }
    for part in ("settings", "environment", "registry"):
        assert both.inputs(f"srv-portainer-{part}")["server"] == session
    assert both.inputs("book")["server"] == session and both.inputs("book")["environmentId"] == 3


def test_the_container_listens_at_the_hosts_address_with_image_labels_and_authorities(server: Run) -> None:
    found = server.inputs("srv-portainer-server")
    assert (found["image"], found["address"], found["port"]) == (PORTAINER.image, "10.77.0.50", 9443)
    assert (found["authorities"], found["step"]) == (f"{PORTAINER.authorities}-----GATE-----", "srv-portainer-server")


def test_access_knows_which_releases_are_accepted_and_whose_its_key_is(server: Run) -> None:
    found = server.inputs("srv-portainer-access")
    assert (found["user"], found["description"]) == ("admin", "hypercompose lab/dev/srv")
    assert found["accept"] == [dict(entry) for entry in PORTAINER.accept]


def test_telemetry_is_off(server: Run) -> None:
    settings = server.inputs("srv-portainer-settings")["settings"]
    assert settings == {"EnableTelemetry": False, "SnapshotInterval": "5m"}


def test_a_password_is_made_up_where_none_is_configured_and_is_a_secret(server: Run) -> None:
    made_up = server.inputs("srv-portainer-password")
    assert (made_up["length"], made_up["keeper"]) == (32, "srv")
    assert server.inputs("srv-portainer-server")["password"] == MADE_UP
    assert "password" in server.recording.requests["srv-portainer-server"].additionalSecretOutputs
    assert server.outputs["hidden"] == [True]


def test_a_configured_password_is_taken_and_is_a_secret() -> None:
    run = register(password="Canary-of-the-administrator")
    assert "srv-portainer-password" not in run.recording.types
    for name in ("srv-portainer-server", "srv-portainer-access"):
        assert run.inputs(name)["password"] == "Canary-of-the-administrator"
    assert run.outputs["hidden"] == [True] and "Canary" not in open_text(run.recording.inputs)


def test_another_vm_gets_another_password(machine: Run) -> None:
    assert machine.inputs("srv-portainer-password")["keeper"] == "1100"


def test_no_secret_is_sent_without_its_mark(both: Run) -> None:
    everything = str(plain(both.recording.inputs))
    for secret in (MADE_UP, REGISTRY_PASSWORD, GIT_PASSWORD, "Canary-given"):
        assert secret in everything and secret not in open_text(both.recording.inputs)


def test_the_registry_has_the_sites_login(server: Run) -> None:
    found = server.inputs("srv-portainer-registry")
    assert {key: found[key] for key in ("name", "kind", "url", "user", "password")} == {
        "name": "r:5000",
        "kind": "custom",
        "url": "r:5000",
        "user": "robot",
        "password": REGISTRY_PASSWORD,
    }


def test_a_registry_for_everybody_gets_no_login_and_a_site_without_one_no_registry() -> None:
    anonymous = register(portainer=replace(PORTAINER, registry_user=None))
    assert not {"user", "password"} & set(anonymous.inputs("srv-portainer-registry"))
    without = register(TEXT, portainer=replace(PORTAINER, registry_host=None))
    assert "srv-portainer-registry" not in without.recording.types and "text" in without.recording.types


def test_on_a_vm_everything_knows_its_id_and_goes_with_it(machine: Run) -> None:
    free = {"srv-portainer-password", "book-files", "book.db_password", "book.api_token"}
    for name in set(ours(machine)) - free:
        assert machine.inputs(name)["vm"] == "1100", name
    for name in set(ours(machine)) - (free - {"srv-portainer-password"}):
        assert machine.recording.requests[name].deletedWith.endswith("::site-claim"), name


def test_what_does_not_live_on_the_vm_stays_when_it_goes(machine: Run) -> None:
    for name in ("book-files", "book.db_password"):
        assert not machine.recording.requests[name].deletedWith and "vm" not in machine.inputs(name)


def test_on_a_server_nothing_has_a_vm_and_all_is_undone(server: Run) -> None:
    for name in ours(server):
        assert "vm" not in server.inputs(name) and not server.recording.requests[name].deletedWith, name


def test_children_have_their_component_as_parent_and_stacks_are_the_servers(both: Run) -> None:
    requests = both.recording.requests
    server_type, stack_type = "hypercompose:portainer:PortainerServer", "hypercompose:portainer:PortainerStack"
    for part in ("server", "access", "settings", "environment", "registry", "password"):
        assert requests[f"srv-portainer-{part}"].parent.endswith(f"{server_type}::srv-portainer"), part
    for name in ("book", "book-files", "book.db_password", "srv-secrets-book", "text", "theirs"):
        stack = re.split("[-.]", name.removeprefix("srv-secrets-"))[0]
        assert requests[name].parent.endswith(f"{server_type}${stack_type}::{stack}"), name


def test_every_child_is_made_by_the_native_provider(both: Run) -> None:
    for name in ours(both):
        assert "site-native" in both.recording.requests[name].provider, name


def test_a_project_is_published_to_a_branch_of_its_own_and_run_at_that_commit(server: Run) -> None:
    files, book = server.inputs("book-files"), server.inputs("book")
    place = {"url": "https://git.lab.internal:3443/hypercompose/deployments.git", "ref": "refs/heads/dev/book"}
    for found in (files, book):
        assert {key: found[key] for key in ("url", "ref", "user", "password", "ca")} == {
            **place,
            "user": "lab",
            "password": GIT_PASSWORD,
            "ca": ".lab/tls/ca.crt",
        }
    assert (files["message"], book["commit"], book["path"]) == ("book in dev", COMMIT, "compose.yaml")
    assert (book["additional"], book["interval"]) == ([], "1m") and "inline" not in book


def test_somebodys_repository_is_followed_and_nothing_is_published(server: Run) -> None:
    found = server.inputs("theirs")
    assert (found["url"], found["ref"], found["interval"]) == ("https://git.test/a/b", "refs/tags/v1", "5m")
    assert (found["user"], found["password"]) == ("lab", GIT_PASSWORD)
    assert not {"commit", "inline"} & set(found) and "theirs-files" not in server.recording.types


def test_a_repository_for_everybody_is_read_without_a_login() -> None:
    run = register(stack_plan("open", git=GitStack(url="https://git.test/a/b", login=False)))
    assert not {"user", "password"} & set(run.inputs("open")) and "open-files" not in run.recording.types
    assert run.inputs("open")["ref"] == "refs/heads/main"


def test_a_text_is_sent_as_it_is_and_needs_no_git(server: Run) -> None:
    found = server.inputs("text")
    assert found["inline"] == TEXT.inline
    assert not {"url", "ref", "commit", "password", "interval"} & set(found)
    assert "text-files" not in server.recording.types and "srv-secrets-text" not in server.recording.types


def test_secrets_are_files_beside_the_stack_or_variables_where_that_is_asked_for(server: Run) -> None:
    files, book = server.inputs("srv-secrets-book"), server.inputs("book")
    assert files["stack"] == "book"
    assert files["files"] == {"db_password": MADE_UP, "given_one": "Canary-given"}
    assert book["env"]["api_token"] == MADE_UP and "db_password" not in book["env"]
    assert book["env"]["SECRETS"] == "/etc/hypercompose/stacks/book/secrets"
    assert "files" in server.recording.requests["srv-secrets-book"].additionalSecretOutputs


def test_secrets_that_are_made_up_have_their_length_and_those_that_are_given_are_not(server: Run) -> None:
    assert server.inputs("book.db_password")["length"] == 32 and server.inputs("book.api_token")["length"] == 40
    assert "book.given_one" not in server.recording.types


def test_errors_of_a_stack_can_hide_all_of_its_secrets(server: Run) -> None:
    assert sorted(server.inputs("book")["hide"]) == sorted([MADE_UP, MADE_UP, "Canary-given"])
    assert server.inputs("text")["hide"] == []


def test_a_stack_without_secret_files_has_no_folder_for_them(server: Run) -> None:
    assert "SECRETS" not in server.inputs("text")["env"] and server.inputs("text")["allowedPaths"] == []
    assert server.inputs("book")["allowedPaths"] == ["/srv/shared_data", "/etc/hypercompose/stacks/book/secrets"]
    run = register(stack_plan("vars", inline="x", secrets={"token": Secret(variable=True)}))
    assert "srv-secrets-vars" not in run.recording.types and "SECRETS" not in run.inputs("vars")["env"]


def test_ways_of_a_stack_come_from_its_settings(server: Run) -> None:
    book, theirs = server.inputs("book"), server.inputs("theirs")
    assert (book["adopt"], book["keepVolumes"], book["timeoutS"]) == (False, False, 60)
    assert (theirs["adopt"], theirs["keepVolumes"], theirs["timeoutS"]) == (True, True, 180)
    assert book["owner"] == "lab/dev/book"


def test_outputs_tell_addresses_commits_and_images(both: Run) -> None:
    portainer = both.outputs["servers"]["srv"]
    assert portainer == {"url": "https://10.77.0.50:9443", "user": "admin", "password": MADE_UP}
    book = both.outputs["stacks"]["book"]
    assert book["urls"] == {"web": "http://10.77.0.50:8080", "admin_ui": "http://10.77.0.50:9000"}
    assert (book["host"], book["commit"], book["images"]) == ("srv", COMMIT, IMAGES)
    assert list(both.outputs["stacks"]) == ["book", "text", "theirs"]


def test_a_host_without_docker_has_neither_portainer_nor_stacks() -> None:
    run = register(BOOK, docker=None)
    assert (run.outputs["servers"], run.outputs["stacks"]) == ({}, {}) and not list(ours(run))


def test_stacks_of_other_hosts_are_not_made_here() -> None:
    run = register(replace(TEXT, host="elsewhere"))
    assert run.outputs["stacks"] == {} and "text" not in run.recording.types


def test_secrets_of_two_stacks_are_two_resources_whatever_their_names() -> None:
    run = register(
        stack_plan("a", inline="x", secrets={"b-c": Secret(generate=20)}),
        stack_plan("a-b", inline="x", secrets={"c": Secret(generate=30)}),
    )
    passwords = [name for name in ours(run) if run.kind(name) == "secret:Password"]
    assert len(set(passwords) - {"srv-portainer-password"}) == 2


def test_the_gate_listens_at_the_hosts_address_with_a_password_of_its_own(both: Run) -> None:
    gate = both.inputs("srv-release-gate")
    assert (gate["address"], gate["port"], gate["password"]) == ("10.77.0.50", 9444, MADE_UP)
    assert "password" in both.recording.requests["srv-release-gate"].additionalSecretOutputs
    assert both.inputs("srv-gate-password")["length"] == 32
    assert both.recording.requests["srv-release-gate"].parent.endswith("hypercompose:gate:ReleaseGate::srv-gate")
    args = {key: value for key, value in gate.items() if key not in ("connection", "step", "vm")}
    assert list(BY_NAME["ReleaseGate"].problems(args)) == []


def test_another_vm_gets_another_password_of_the_gate_and_the_gate_goes_with_it(machine: Run) -> None:
    assert machine.inputs("srv-gate-password")["keeper"] == "1100"
    for name in ("srv-gate-password", "srv-release-gate"):
        assert machine.recording.requests[name].deletedWith.endswith("::site-claim"), name


def test_a_gated_stack_comes_after_its_gate_has_released_it(gated: Run) -> None:
    for name in ("book", "theirs"):
        assert f"{name}-gate" in gated.dependencies(name)
        assert gated.needs(f"{name}-gate") >= {"srv-portainer-environment", "srv-release-gate", "srv-docker-proof"}
    assert gated.dependencies("book-gate") >= {"srv-secrets-book", "book-files"}
    assert "book-gate" not in gated.needs("theirs-gate")


def test_the_gate_is_told_what_to_follow_and_where_portainer_is(gated: Run) -> None:
    book, theirs = gated.inputs("book-gate"), gated.inputs("theirs-gate")
    place = ("https://git.lab.internal:3443/hypercompose/deployments.git", "refs/heads/dev/book", "compose.yaml")
    assert (book["url"], book["ref"], book["path"], book["commit"]) == (*place, COMMIT)
    assert (book["user"], book["password"], book["interval"]) == ("lab", GIT_PASSWORD, "1m")
    assert (book["repushed"], book["hook"], book["webhook"]) == ("report", MADE_UP, MADE_UP)
    assert book["server"]["url"] == "https://10.77.0.50:9443" and book["server"]["certificate"] == "-----CERT-----"
    assert book["authorities"] and "ca" not in book
    assert book["env"]["api_token"] == MADE_UP and {name: book["env"][name] for name in ENV} == ENV
    assert sorted(book["hide"]) == sorted([MADE_UP, MADE_UP, "Canary-given"])
    assert (theirs["url"], theirs["ref"], theirs["path"]) == (
        "https://git.test/a/b",
        "refs/tags/v1",
        "deploy/my_app.yaml",
    )
    assert theirs["additional"] == ["more_x.yaml"] and "commit" not in theirs


def test_what_the_gate_is_told_is_what_it_takes(gated: Run) -> None:
    nothing: Any = None
    for name in ("book-gate", "theirs-gate"):
        found = gated.inputs(name)
        assert list(GatedStack().check(nothing, name, {}, found)) == []
        assert settings_of(found)["name"] == name.removesuffix("-gate")


def test_portainer_follows_the_gate_without_a_variable_of_its_own(gated: Run) -> None:
    for name in ("book", "theirs"):
        found = gated.inputs(name)
        assert (found["url"], found["ref"], found["path"]) == (
            f"https://10.77.0.50:9444/{name}.git",
            "refs/heads/release",
            "compose.yaml",
        )
        assert (found["user"], found["password"], found["env"]) == ("portainer", MADE_UP, {})
        assert (found["gated"], found["interval"], found["hook"]) == (True, "5m", MADE_UP)
        assert found["additional"] == [] and not {"commit", "ca", "authorities"} & set(found)
        assert list(problems(found)) == []
        assert wanted_of(found, "w").source is not None


def test_another_setting_for_tags_that_are_pushed_again_reaches_the_gate() -> None:
    settings = {**GATED, "repushed": "deploy", "poll": ""}
    found = register(stack_plan("shop", files=FILES, settings=settings)).inputs("shop-gate")
    assert (found["repushed"], found["interval"]) == ("deploy", "")


def test_webhooks_are_outputs_of_gated_stacks_alone_and_secrets(gated: Run) -> None:
    assert gated.outputs["webhooks"] == dict.fromkeys(("book", "theirs"), f"https://10.77.0.50:9444/hooks/{MADE_UP}")
    assert gated.outputs["closed"] == [True, True]
    kinds = [name for name in gated.recording.types if gated.kind(name) == "secret:Uuid"]
    assert sorted(kinds) == ["book-hook", "book-webhook", "theirs-hook", "theirs-webhook"]


def test_outputs_tell_of_a_gated_stack_what_the_gate_says() -> None:
    says = {"asked": "a" * 40, "runningCommit": "b" * 40, "release": "r", "images": IMAGES, "why": "refused: bad"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OUTPUTS, "hypercompose:portainer:GatedStack", says)
        found = register(replace(BOOK, settings=_gated(BOOK)), TEXT).outputs["stacks"]
    book = found["book"]
    assert (book["asked"], book["commit"], book["why"]) == ("a" * 40, "b" * 40, "refused: bad")
    assert book["images"] == IMAGES
    assert (found["text"]["asked"], found["text"]["why"]) == ("", "")


def test_no_secret_of_a_gated_stack_is_sent_without_its_mark(gated: Run) -> None:
    everything = str(plain(gated.recording.inputs))
    for secret in (MADE_UP, GIT_PASSWORD, "Canary-given"):
        assert secret in everything and secret not in open_text(gated.recording.inputs)


def test_a_gated_stack_is_its_components_child_and_made_by_the_native_provider(gated: Run) -> None:
    for name in ("book-gate", "book-hook", "book-webhook"):
        request = gated.recording.requests[name]
        assert request.parent.endswith("$hypercompose:portainer:PortainerStack::book"), name
        assert "site-native" in request.provider, name


def test_on_a_vm_a_gated_stack_goes_with_it_and_its_ids_stay() -> None:
    run = register(replace(BOOK, settings=_gated(BOOK)), vm=True)
    assert run.inputs("book-gate")["vm"] == "1100"
    assert run.recording.requests["book-gate"].deletedWith.endswith("::site-claim")
    for name in ("book-hook", "book-webhook"):
        assert not run.recording.requests[name].deletedWith


def test_a_text_has_nobody_who_pushes_and_no_gate(gated: Run) -> None:
    assert "text-gate" not in gated.recording.types and "gated" not in gated.inputs("text")


def stack_secrets(given: Any, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Mapping[str, str]]:
    """Of a program whose stack `book` needs a token and makes up a password."""
    text = given if isinstance(given, str) else json.dumps(given)
    config = SimpleNamespace(get=lambda: {"hypercompose:stack_secrets": text} if text else {})
    monkeypatch.setattr("components.secrets.CONFIG", config)
    secrets = {"token": Secret(generate=None), "db_password": Secret()}
    program: Any = SimpleNamespace(stack="dev", stacks=(stack_plan("book", inline="x", secrets=secrets),))
    return _stack_secrets(program)


def test_a_secret_that_nobody_makes_up_has_to_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as raised:
        stack_secrets("", monkeypatch)
    assert raised.value.source == "Pulumi.dev.yaml"
    assert raised.value.problems == (
        "stacks.book.secrets.token: has no value; `pulumi config set --secret --path "
        "hypercompose:stack_secrets.book.token`",
    )


@pytest.mark.parametrize("value", ["x", "", 5])
def test_a_given_secret_is_text(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stack_secrets({"book": {"token": value}}, monkeypatch)
    assert found == {"book": {"token": str(value)}}


def test_a_secret_that_would_be_made_up_may_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stack_secrets({"book": {"token": "x", "db_password": "y"}}, monkeypatch)
    assert found["book"]["db_password"] == "y"


@pytest.mark.parametrize(("stack", "key"), [("book", "tokne"), ("shelf", "token")])
def test_a_secret_that_no_stack_has_is_named_without_its_value(
    stack: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"book": {"token": "x"}}
    given.setdefault(stack, {})[key] = "Canary"
    with pytest.raises(SettingsError, match=f"stack_secrets.{stack}.{key}: no stack has such a secret") as raised:
        stack_secrets(given, monkeypatch)
    assert "Canary" not in str(raised.value)


@pytest.mark.parametrize("given", ["Canary", "[", '["Canary"]', '{"book": "Canary"}', "5"])
def test_secrets_of_another_form_are_refused_without_showing_them(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="expected stack -> name -> value") as raised:
        stack_secrets(given, monkeypatch)
    assert "Canary" not in str(raised.value) and raised.value.__suppress_context__


def test_nobody_asks_for_a_git_password_where_nobody_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERCOMPOSE_GIT_PASSWORD", raising=False)
    plan = stack_plan("open", git=GitStack(url="https://git.test/a/b", login=False))
    site = SimpleNamespace(id="lab", registry=None, git=load_site("lab").git)
    program: Any = SimpleNamespace(stack="dev", site=site, hosts=(), stacks=(plan,), links=(), routers={})
    found: list[Secrets] = []
    record(lambda: found.append(Secrets.of(program)))
    assert found[0].git_password is None


def test_the_webhook_of_a_followed_stack_is_told_as_a_secret_and_others_have_none(both: Run) -> None:
    told = both.outputs["stacks"]
    assert both.outputs["webhooks"] == {"theirs": "https://10.77.0.50:9443/api/stacks/webhooks/w"}
    assert "webhook" not in told["book"] and "webhook" not in told["text"]


def test_a_stack_that_moved_knows_its_name_and_place_before() -> None:
    moved = {"inline": "x", "moved_from": {"stack": "before", "host": "old", "volumes": "copy"}}
    run = register(stack_plan("after", inline="x", settings=moved))
    told = run.inputs("after")["movedFrom"]
    assert (told["name"], told["place"], told["volumes"]) == ("before", "old", "copy")
    assert told["connection"]["host"] == "10.0.0.8"


def test_a_stack_says_where_it_is_and_whether_it_runs(server: Run) -> None:
    for name in ("book", "text", "theirs"):
        found = server.inputs(name)
        assert (found["place"], found["run"]) == ("srv", "started") and "movedFrom" not in found
