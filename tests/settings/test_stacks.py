"""From settings to stacks: what is decided, what is opened, what is refused and how that is said."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import SettingsError, load_program

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
SOURCES = ["10.0.0.0/8"]
DIGEST = f"sha256:{'0f' * 32}"
REGISTRY = "registry.lab.internal:5000"
GUESTBOOK: dict[str, Any] = {"project": "guestbook", "ports": {"web": 8080}, "sources": SOURCES}
INLINE = "services: {web: {image: nginx, ports: ['8080:80']}}"
PORTAINER = {"sources": SOURCES}
GROUP: dict[str, Any] = {
    "prefix": "vm-app",
    "first_id": 1100,
    "networks": [{"bridge": "vmbr0", "address": "10.77.0.11/24"}],
}


@pytest.fixture(autouse=True)
def site(lab_site: Path, tmp_path: Path) -> Path:
    """The lab's site with an image lock that is there without a lab."""
    lock = tmp_path / "images.lock.yaml"
    write_lock(lock, "portainer", "guestbook-web", "guestbook-api", "postgres", "nginx", "odoo")
    lab_site.write_text(lab_site.read_text().replace(str(tmp_path / "site.images.yaml"), str(lock)))
    return lab_site


def write_lock(path: Path, *keys: str) -> None:
    images = {key: {"repository": f"team/{key}", "digest": DIGEST} for key in keys}
    path.write_text(yaml.safe_dump({"registry": REGISTRY, "images": images}))


def change(site: Path, **parts: Any) -> None:
    """Another site: parts of it replaced, or taken away by None."""
    content = {**yaml.safe_load(site.read_text()), **parts}
    site.write_text(yaml.safe_dump({name: part for name, part in content.items() if part is not None}))


def server(number: int = 1, **parts: Any) -> dict[str, Any]:
    return {"name": f"srv-{number}", "address": f"10.77.0.{50 + number}", "host_key": KEY, **parts}


def program(**settings: Any) -> Any:
    given = {"hosts": [server()], "docker": {}, "portainer": PORTAINER, **settings}
    raw = {f"hypercompose:{key}": json.dumps(value) for key, value in given.items() if value is not None}
    return load_program("dev", {"hypercompose:site": "lab", **raw})


def stack(**settings: Any) -> Any:
    """The only stack of a program."""
    (found,) = program(stacks={"shop": settings}).stacks
    return found


def refusal(**settings: Any) -> str:
    with pytest.raises(SettingsError) as raised:
        program(**settings)
    return str(raised.value)


def refused(**settings: Any) -> str:
    """What is said of a stack called `shop`."""
    return refusal(stacks={"shop": settings})


def test_four_lines_are_a_stack() -> None:
    (found,) = program(stacks={"guestbook": GUESTBOOK}).stacks
    assert (found.name, found.host, found.path, found.git, found.inline) == (
        "guestbook",
        "srv-1",
        "compose.yaml",
        None,
        None,
    )
    assert set(found.env) == {"GUESTBOOK_PORT", "GUESTBOOK_ADDRESS", "GUESTBOOK_LOG_LEVEL"}
    assert (found.env["GUESTBOOK_PORT"], found.env["GUESTBOOK_LOG_LEVEL"]) == ("8080", "info")
    assert found.ports == {"web": 8080} and found.health == {"web": "/health"}
    assert found.secrets["guestbook_db_password"].generate == 32
    assert found.secrets_folder == "/etc/hypercompose/stacks/guestbook/secrets"
    assert list(found.files) == ["compose.yaml"]
    services = yaml.safe_load(found.files["compose.yaml"])["services"]
    assert services["api"]["image"] == f"{REGISTRY}/team/guestbook-api@{DIGEST}"
    assert services["api"]["labels"] == found.labels


def test_labels_say_environment_stack_tenant_instance_and_product() -> None:
    assert stack(**GUESTBOOK).labels == {
        "hypercompose.env": "dev",
        "hypercompose.stack": "shop",
        "hypercompose.tenant": "lab",
        "hypercompose.instance": "shop",
        "hypercompose.product": "guestbook",
    }
    own = stack(inline=INLINE, tenant="acme", instance="blue").labels
    assert [own[f"hypercompose.{key}"] for key in ("tenant", "instance", "product")] == ["acme", "blue", "shop"]


def test_a_port_and_an_environment_of_ones_own_win_over_the_defaults() -> None:
    found = stack(**{**GUESTBOOK, "ports": {"web": 8181}, "env": {"GUESTBOOK_LOG_LEVEL": "debug"}})
    assert (found.env["GUESTBOOK_PORT"], found.env["GUESTBOOK_LOG_LEVEL"]) == ("8181", "debug")


def test_secrets_are_those_of_the_project_with_ones_own_over_them() -> None:
    own = {"guestbook_db_password": {"generate": 48}, "token": {"generate": None, "variable": True}}
    found = stack(**GUESTBOOK, secrets=own).secrets
    assert found["guestbook_db_password"].generate == 48
    assert (found["token"].generate, found["token"].variable) == (None, True)


def test_stacks_keep_the_order_of_the_settings() -> None:
    wanted = {name: {"inline": INLINE} for name in ("zoo", "app", "mid")}
    assert [found.name for found in program(stacks=wanted).stacks] == ["zoo", "app", "mid"]


def test_a_program_without_stacks_has_none() -> None:
    found = program()
    assert found.stacks == () and list(found.portainers) == ["srv-1"]


def test_the_only_host_with_portainer_need_not_be_named() -> None:
    hosts = [server(1, portainer=None), server(2)]
    (found,) = program(hosts=hosts, stacks={"shop": {"inline": INLINE}}).stacks
    assert found.host == "srv-2"


def test_of_several_hosts_one_has_to_be_named() -> None:
    hosts = [server(1), server(2)]
    (found,) = program(hosts=hosts, stacks={"shop": {"inline": INLINE, "host": "srv-2"}}).stacks
    assert found.host == "srv-2"
    assert "stacks.shop.host: missing, expected one of the hosts with Portainer (srv-1, srv-2); name one" in refusal(
        hosts=hosts, stacks={"shop": {"inline": INLINE}}
    )


def test_a_vm_runs_stacks_as_a_server_does() -> None:
    (found,) = program(hosts=[], vms=[GROUP], stacks={"guestbook": GUESTBOOK}).stacks
    assert found.host == "vm-app-1"


@pytest.mark.parametrize("parts", [{"portainer": None}, {"docker": None}])
def test_a_host_without_portainer_runs_no_stack(parts: dict[str, Any]) -> None:
    hosts = [server(1), server(2, **parts)]
    said = refusal(hosts=hosts, stacks={"shop": {"inline": INLINE, "host": "srv-2"}})
    assert 'stacks.shop.host: "srv-2", expected one of the hosts with Portainer (srv-1)' in said


@pytest.mark.parametrize("name", ["srv-9", None])
def test_where_no_host_has_portainer_it_says_what_to_add(name: str | None) -> None:
    said = refusal(portainer=None, stacks={"shop": {"inline": INLINE, "host": name}})
    assert "stacks.shop.host" in said and "none has it; add `portainer`" in said


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, "not none"),
        ({"project": "guestbook", "inline": INLINE}, "not project and inline"),
        ({"git": {"url": "https://git.test/a"}, "inline": INLINE}, "not git and inline"),
    ],
)
def test_a_stack_has_exactly_one_source(given: dict[str, Any], shown: str) -> None:
    said = refused(**given)
    assert "stacks.shop" in said and "exactly one of project, git and inline" in said and shown in said


@pytest.mark.parametrize("given", [{"project": "guestbook"}, {"inline": INLINE}])
def test_ports_need_to_say_who_may_reach_them(given: dict[str, Any]) -> None:
    assert "`sources`, the networks that may reach its ports" in refused(**given, ports={"web": 8080})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ports": {"wbe": 8080}}, "stacks.shop.ports.wbe: 8080, expected one of web; see compose/guestbook/project"),
        ({"env": {"GUESTBOOK_LOG": "x"}}, 'stacks.shop.env.GUESTBOOK_LOG: "x", expected one of GUESTBOOK_PORT, '),
    ],
)
def test_what_a_project_does_not_declare_is_refused_with_what_it_does(given: dict[str, Any], message: str) -> None:
    assert message in refused(project="guestbook", sources=SOURCES, **given)


def test_an_unknown_project_is_answered_with_the_known_ones() -> None:
    assert "stacks.shop: compose/guestbok: no compose.yaml there; projects are guestbook" in refused(project="guestbok")


def test_two_stacks_cannot_have_one_port_of_a_host_but_of_two_hosts() -> None:
    two = {"one": {**GUESTBOOK, "host": "srv-1"}, "two": {**GUESTBOOK, "host": "srv-1"}}
    hosts = [server(1), server(2)]
    assert "stacks.two.ports.web: 8080, expected a port that nothing else has; one (web) has it on srv-1" in refusal(
        hosts=hosts, stacks=two
    )
    two["two"]["host"] = "srv-2"
    assert [found.host for found in program(hosts=hosts, stacks=two).stacks] == ["srv-1", "srv-2"]


@pytest.mark.parametrize("git", [None, {"url": "https://git.lab.internal:3443"}])
def test_a_project_needs_a_repository_to_be_published_to(site: Path, git: dict[str, str] | None) -> None:
    change(site, git=git)
    said = refused(**GUESTBOOK)
    assert "stacks: projects are published to git, expected git.repository in sites/lab.yaml" in said


def test_a_text_and_other_peoples_git_need_no_repository_of_ours(site: Path) -> None:
    change(site, git=None)
    assert stack(inline=INLINE).inline
    assert stack(git={"url": "https://git.test/a/b", "path": "deploy/compose.yaml"}).path == "deploy/compose.yaml"


def test_an_image_that_the_lock_does_not_hold_is_named_by_service(tmp_path: Path) -> None:
    write_lock(tmp_path / "images.lock.yaml", "portainer", "guestbook-web", "postgres")
    said = refused(**GUESTBOOK)
    assert "stacks.shop: compose/guestbook/compose.yaml: services.api.image: " in said
    assert f"{tmp_path}/images.lock.yaml: images.guestbook-api: not there" in said and "make images" in said


def test_a_lock_that_is_not_there_says_who_writes_it(tmp_path: Path) -> None:
    (tmp_path / "images.lock.yaml").unlink()
    assert "is not there; `make images` writes it" in refused(**GUESTBOOK)


def test_a_site_that_says_nothing_of_images_is_told_what_to_add(site: Path) -> None:
    change(site, images=None)
    assert "services.web.image: 'nginx', expected `images` in sites/lab.yaml" in refused(inline=INLINE)


def test_a_portainer_whose_image_is_not_locked_is_refused_with_the_nearest() -> None:
    said = refusal(portainer={**PORTAINER, "image": "portaner"})
    assert "Pulumi.dev.yaml: portainer.image: " in said and "did you mean 'portainer'" in said


def test_what_may_be_reached_of_a_host_has_portainer_and_the_stacks_with_their_sources() -> None:
    docker = {"published": {"mine": {"ports": ["53/udp"]}}}
    stacks = {
        "guestbook": GUESTBOOK,
        "shop": {"inline": INLINE, "ports": {"admin": 9000}, "sources": ["10.1.0.0/16", "10.2.0.0/16"]},
        "shut": {"inline": INLINE},
    }
    (host,) = program(docker=docker, portainer={"sources": ["10.9.0.0/16"]}, stacks=stacks).hosts
    assert host.docker.published == {
        "mine": {"ports": ["53/udp"], "sources": []},
        "portainer": {"ports": ["9443/tcp"], "sources": ["10.9.0.0/16"]},
        "guestbook-8080": {"ports": ["8080/tcp"], "sources": ["10.0.0.0/8"]},
        "shop-9000": {"ports": ["9000/tcp"], "sources": ["10.1.0.0/16", "10.2.0.0/16"]},
    }


def opening(**settings: Any) -> Any:
    """What the host's firewall opens for the gate."""
    (host,) = program(baseline={"firewall": {"ssh_sources": SOURCES}}, **settings).hosts
    return host.baseline.firewall.open["gate"]


def test_the_gate_may_be_reached_by_containers_and_by_whom_the_settings_name() -> None:
    usual = opening()
    assert usual.ports == ("9444/tcp",)
    assert IPv4Network("172.17.0.0/16") in usual.sources and IPv4Network("10.0.0.0/8") not in usual.sources
    found = opening(portainer={**PORTAINER, "gate_port": 9555, "gate_sources": ["10.9.0.0/16", "172.17.0.0/16"]})
    assert found.ports == ("9555/tcp",)
    assert found.sources == (*usual.sources, IPv4Network("10.9.0.0/16"))


def test_an_opening_of_ones_own_called_gate_stays() -> None:
    own = {"ports": ["22/tcp"], "sources": SOURCES}
    (host,) = program(baseline={"firewall": {"ssh_sources": SOURCES, "open": {"gate": own}}}).hosts
    found = host.baseline.firewall.open
    assert found["gate"].ports == ("22/tcp",) and found["gate_"].ports == ("9444/tcp",)


def test_without_portainer_there_is_no_gate_to_reach() -> None:
    (host,) = program(baseline={"firewall": {"ssh_sources": SOURCES}}, portainer=None).hosts
    assert host.baseline.firewall.open == {}


def test_a_port_of_the_gate_is_none_of_dockers_published_ones() -> None:
    (host,) = program().hosts
    assert list(host.docker.published) == ["portainer"] and host.portainer.gate_port == 9444


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gate_port": 0}, "portainer.gate_port"),
        ({"gate_port": 65536}, "portainer.gate_port"),
        ({"gate_sources": ["everywhere"]}, "portainer.gate_sources"),
    ],
)
def test_a_place_for_the_gate_that_is_none_is_named(given: dict[str, Any], message: str) -> None:
    assert message in refusal(portainer={**PORTAINER, **given})


def test_stacks_are_gated_unless_they_are_texts_or_told_otherwise() -> None:
    assert stack(**GUESTBOOK).is_gated and stack(git={"url": "https://git.test/a/b"}).is_gated
    assert not stack(**GUESTBOOK, rollout="direct").is_gated and not stack(inline=INLINE).is_gated
    assert stack(**GUESTBOOK).settings.repushed == "report"


@pytest.mark.parametrize("field", ["rollout", "repushed"])
def test_a_way_that_there_is_not_is_named(field: str) -> None:
    assert f"stacks.shop.{field}" in refused(**GUESTBOOK, **{field: "sometimes"})


def test_a_port_is_opened_on_its_own_host_only() -> None:
    first, second = program(hosts=[server(1), server(2)], stacks={"shop": {**GUESTBOOK, "host": "srv-2"}}).hosts
    assert list(first.docker.published) == ["portainer"]
    assert list(second.docker.published) == ["portainer", "shop-8080"]


def test_images_of_a_text_are_keys_or_references_as_docker_writes_them() -> None:
    images = ["nginx", "debian:12", "quay.io/a/b", f"x@{DIGEST}", "${IMAGE}"]
    text = yaml.safe_dump({"services": {f"s{n}": {"image": image} for n, image in enumerate(images)}})
    services = yaml.safe_load(stack(inline=text).inline)["services"]
    assert [one["image"] for one in services.values()] == [f"{REGISTRY}/team/nginx@{DIGEST}", *images[1:]]
    assert all(one["labels"]["hypercompose.stack"] == "shop" for one in services.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "stacks.shop: inline: not YAML: "),
        ("just text", "stacks.shop: inline: services: missing, expected a mapping of services"),
        ("services: {web: {image: ngnix}}", "did you mean 'nginx'"),
        ("services: {web: {}}", "stacks.shop: inline: services.web.image: missing"),
        ("services: {web: {build: .}}", "services.web.image: missing, expected a key of the image lock"),
    ],
)
def test_a_text_that_is_no_compose_file_is_refused(text: str, message: str) -> None:
    said = refused(inline=text)
    assert message in said and said.count("\n") == 0


def test_problems_of_all_stacks_are_told_at_once() -> None:
    said = refusal(
        stacks={
            "one": {"project": "nothing"},
            "two": {"inline": "services: {web: {}}"},
            "three": {"inline": INLINE, "host": "srv-9"},
        }
    )
    assert all(part in said for part in ("stacks.one: ", "stacks.two: ", "stacks.three.host: "))
    assert all(line.startswith("Pulumi.dev.yaml: ") for line in said.splitlines())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sorces": SOURCES}, "stacks.shop.sorces: unknown setting; did you mean `sources`?"),
        ({"timeout_s": 5}, "stacks.shop.timeout_s: 5"),
        ({"secrets": {"a/b": {}}}, "stacks.shop.secrets"),
        ({"secrets": {"a": {"generate": 3}}}, "stacks.shop.secrets.a.generate: 3"),
        ({"env": {"A-B": "x"}}, "stacks.shop.env"),
        ({"ports": {"web": 70000}, "sources": SOURCES}, "stacks.shop.ports.web: 70000"),
        ({"poll": "1 minute"}, "stacks.shop.poll"),
        ({"tenant": "$(reboot)"}, "stacks.shop.tenant"),
        ({"keep_volume": True}, "stacks.shop.keep_volume: unknown setting; did you mean `keep_volumes`?"),
    ],
)
def test_a_setting_of_a_stack_that_is_none_is_named(given: dict[str, Any], message: str) -> None:
    assert message in refused(inline=INLINE, **given)


@pytest.mark.parametrize(
    ("git", "message"),
    [
        ({"url": "ssh://git@git.test/a"}, "stacks.shop.git.url"),
        ({"url": "git@git.test:a"}, "stacks.shop.git.url"),
        ({"url": "https://user:secret@git.test/a"}, "stacks.shop.git.url"),
        ({"url": "https://git.test/a", "ref": "main"}, "stacks.shop.git.ref"),
        ({"url": "https://git.test/a", "path": "/etc/compose.yaml"}, "stacks.shop.git.path"),
        ({"url": "https://git.test/a", "additonal": []}, "did you mean `additional`?"),
        ({}, "stacks.shop.git.url: missing, expected its address"),
    ],
)
def test_a_repository_that_portainer_cannot_read_is_refused(git: dict[str, Any], message: str) -> None:
    assert message in refused(git=git)


@pytest.mark.parametrize("name", ["Shop", "-shop", "a/b", "x" * 49, "sh op"])
def test_a_stack_has_a_name_that_compose_takes(name: str) -> None:
    assert "stacks" in refusal(stacks={name: {"inline": INLINE}})


@pytest.mark.parametrize("kind", ["vms", "hosts"])
def test_portainer_needs_docker_on_its_host(kind: str) -> None:
    host = GROUP if kind == "vms" else server()
    said = refusal(**{"hosts": [], kind: [{**host, "docker": None, "portainer": PORTAINER}]})
    assert f"{kind}[0].portainer" in said and "expected `docker` on the same host; it runs in a container" in said


@pytest.mark.parametrize("kind", ["vms", "hosts"])
def test_a_null_takes_portainer_away(kind: str) -> None:
    host = GROUP if kind == "vms" else server()
    assert program(**{"hosts": [], kind: [{**host, "portainer": None}]}).portainers == {}
    assert program(**{"hosts": [], kind: [host]}, docker=None).portainers == {}


def test_a_text_keeps_its_own_labels_beside_ours() -> None:
    text = "services: {web: {image: 'quay.io/a/b:1', labels: [mine=yes]}}"
    labels = yaml.safe_load(stack(inline=text, tenant="acme").inline)["services"]["web"]["labels"]
    assert (labels["mine"], labels["hypercompose.tenant"]) == ("yes", "acme")


def test_a_release_is_accepted_with_a_reason_and_a_date_alone(site: Path) -> None:
    entry = {"version": "2.23.0", "reason": "a stand-in for tests", "until": "2027-12-31"}
    for field, value in (("until", "some day"), ("reason", "short")):
        change(site, portainer={"accept": [{**entry, field: value}]})
        assert f"portainer.accept[0].{field}" in refusal()


def test_portainer_of_the_stack_goes_to_hosts_with_docker_only() -> None:
    found = program(hosts=[server(1), server(2, docker=None), server(3, portainer=None)])
    assert list(found.portainers) == ["srv-1"]
    assert [bool(host.portainer) for host in found.hosts] == [True, False, False]


def test_one_host_has_the_portainer_of_all() -> None:
    found = program(portainer={**PORTAINER, "server": "srv-1"}, hosts=[server(1), server(2)])
    assert list(found.portainers) == ["srv-1"]
    assert [host.served_by for host in found.hosts] == [None, "srv-1"]
    assert ["portainer" in host.docker.published for host in found.hosts if host.docker] == [True, False]


@pytest.mark.parametrize("named", ["srv-3", "srv-2"])
def test_the_host_that_is_to_have_portainer_has_to_be_there_and_have_it(named: str) -> None:
    hosts = [server(1, portainer={"server": named}), server(2, portainer={"server": "srv-3"})]
    said = refusal(portainer=PORTAINER, hosts=hosts)
    assert f'srv-1: portainer.server: "{named}", expected a host of this stack with Portainer of its own' in said


def test_a_host_gives_single_fields_of_portainer_over_the_stacks() -> None:
    own = {"sources": ["10.5.0.0/16"], "port": 9555}
    found = program(portainer={**PORTAINER, "snapshot_interval": "1m"}, hosts=[server(portainer=own)])
    plan = found.portainers["srv-1"]
    assert (plan.port, plan.snapshot_interval) == (9555, "1m")
    assert found.hosts[0].docker.published["portainer"] == {"ports": ["9555/tcp"], "sources": ["10.5.0.0/16"]}


def test_a_plan_of_portainer_has_image_labels_registry_trust_and_what_is_accepted() -> None:
    plan = program().portainers["srv-1"]
    assert plan.image == f"{REGISTRY}/team/portainer@{DIGEST}" and plan.authorities.startswith("-----BEGIN")
    assert (plan.registry_host, plan.registry_kind, plan.registry_user) == (REGISTRY, "custom", "lab")
    assert plan.owner == "hypercompose lab/dev/srv-1" and plan.accept[0]["version"] == "2.23.0"
    assert plan.labels["hypercompose.instance"] == "srv-1" and plan.labels["hypercompose.product"] == "portainer"


def test_a_site_without_registry_and_git_has_a_portainer_without_either(site: Path) -> None:
    change(site, registry=None, git=None, portainer=None)
    plan = program().portainers["srv-1"]
    assert (plan.registry_host, plan.registry_user, plan.authorities, plan.accept) == (None, None, "", ())


def test_a_portainer_that_everybody_may_reach_has_to_say_so() -> None:
    assert "portainer.sources" in refusal(portainer={}) and "portainer.sources" in refusal(portainer={"sources": []})


def test_an_empty_text_is_no_source() -> None:
    refused(inline="")


def test_a_stack_cannot_have_portainers_port() -> None:
    assert "stacks.shop.ports.web" in refused(**{**GUESTBOOK, "ports": {"web": 9443}})


def test_a_stack_cannot_have_the_gates_port_and_neither_can_portainer() -> None:
    said = refused(**{**GUESTBOOK, "ports": {"web": 9444}})
    assert "stacks.shop.ports.web" in said and "the gate has it on srv-1" in said
    assert "another `gate_port` than 9443" in refusal(portainer={**PORTAINER, "gate_port": 9443})


def test_a_stack_cannot_have_one_port_twice() -> None:
    assert "stacks.shop.ports.b" in refused(inline=INLINE, sources=SOURCES, ports={"a": 8080, "b": 8080})


def test_the_port_that_is_opened_is_the_one_that_is_published() -> None:
    try:
        found = program(stacks={"shop": {**GUESTBOOK, "env": {"GUESTBOOK_PORT": "9000"}}})
    except SettingsError:
        return
    opened = found.hosts[0].docker.published["shop-web"]["ports"]
    assert opened == [f"{found.stacks[0].env['GUESTBOOK_PORT']}/tcp"]


def test_two_stacks_of_one_project_cannot_both_have_its_default_port() -> None:
    refusal(stacks={"one": {"project": "guestbook"}, "two": {"project": "guestbook"}})


def test_ports_of_two_stacks_are_both_opened_whatever_their_names() -> None:
    stacks = {
        "a": {"inline": INLINE, "sources": SOURCES, "ports": {"b-c": 8001}},
        "a-b": {"inline": INLINE, "sources": SOURCES, "ports": {"c": 8002}},
    }
    opened = program(stacks=stacks).hosts[0].docker.published.values()
    assert {"8001/tcp", "8002/tcp"} <= {port for one in opened for port in one["ports"]}


@pytest.mark.parametrize("name", ["portainer", "shop-web"])
def test_published_ports_of_ones_own_stay_open_whatever_their_name(name: str) -> None:
    found = program(docker={"published": {name: {"ports": ["53/udp"]}}}, stacks={"shop": GUESTBOOK})
    opened = found.hosts[0].docker.published.values()
    assert "53/udp" in {port for one in opened for port in one["ports"]}


def test_the_firewalls_name_of_a_port_is_never_too_long() -> None:
    stack = {"inline": INLINE, "sources": SOURCES, "ports": {"p" * 60: 8080}}
    (host,) = program(stacks={"s" * 48: stack}).hosts
    assert max(map(len, host.docker.published)) <= 64


def test_the_sites_git_password_goes_nowhere_without_tls() -> None:
    assert "stacks.shop.git" in refused(git={"url": "http://git.test/a/b"})


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ({"host": "srv-9"}, "stacks.shop.moved_from.host: 'srv-9', expected one of srv-1"),
        ({"stack": "shop"}, "stacks.shop.moved_from.stack: 'shop', expected a name that no stack has now"),
        ({}, "`stack`, its name before, or `host`, where it ran before, or both"),
    ],
)
def test_where_a_stack_comes_from_has_to_be_a_place_that_there_is(moved: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        stack(inline=INLINE, moved_from={**moved, "volumes": "copy"})
    assert told in str(refused.value).replace('"', "'")


def test_a_stack_may_come_from_another_name_or_host() -> None:
    moved = stack(inline=INLINE, moved_from={"stack": "store", "host": "srv-1", "volumes": "leave"}).settings.moved_from
    assert (moved.stack, moved.host, moved.volumes) == ("store", "srv-1", "leave")
