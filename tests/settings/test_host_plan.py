"""From settings and site to what each host gets."""

import json
from pathlib import Path
from typing import Any

import pytest

from settings import SettingsError, load_program

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
SERVER: dict[str, Any] = {"name": "srv-1", "address": "10.77.0.50", "host_key": KEY}
GROUP: dict[str, Any] = {
    "prefix": "vm-app",
    "count": 2,
    "first_id": 1100,
    "networks": [{"bridge": "vmbr0", "address": "10.77.0.11/24"}],
}


pytestmark = pytest.mark.usefixtures("lab_site")


def program(**settings: Any) -> Any:
    raw = {"hypercompose:site": "lab", **{f"hypercompose:{k}": json.dumps(v) for k, v in settings.items()}}
    return load_program("dev", raw)


def refusal(**settings: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        program(**settings)
    return str(caught.value)


def test_vms_come_first_and_both_kinds_get_what_the_stack_says() -> None:
    hosts = program(vms=[GROUP], hosts=[SERVER], baseline={"timezone": "Europe/Paris"}).hosts
    assert [(h.name, h.existing is not None, h.baseline.timezone, h.docker) for h in hosts] == [
        ("vm-app-1", False, "Europe/Paris", None),
        ("vm-app-2", False, "Europe/Paris", None),
        ("srv-1", True, "Europe/Paris", None),
    ]


def test_a_host_gives_single_fields_over_the_stacks() -> None:
    own = {"baseline": {"swap_mib": 512}, "docker": {"users": ["ops"]}}
    stack = {"baseline": {"timezone": "UTC", "swap_mib": 0}, "docker": {"log_max_files": 7}}
    (host,) = program(hosts=[{**SERVER, **own}], **stack).hosts
    assert (host.baseline.timezone, host.baseline.swap_mib) == ("UTC", 512)
    assert host.docker.users == ("ops",)
    assert host.docker.daemon["log-opts"]["max-file"] == "7"


def test_a_null_takes_a_part_away() -> None:
    (host,) = program(hosts=[{**SERVER, "docker": None}], docker={}, baseline={}).hosts
    assert host.docker is None
    assert host.baseline is not None


def test_docker_gets_the_sites_versions_keys_registry_and_safe_defaults() -> None:
    (host,) = program(hosts=[SERVER], docker={}).hosts
    docker = host.docker
    assert docker.versions["docker-ce"] == "26.1.5"
    assert docker.repositories["apt"]["key"].startswith("-----BEGIN PGP")
    assert (docker.registry.host, docker.registry.user) == ("registry.lab.internal:5000", "lab")
    assert docker.registry.proof_image == "registry.lab.internal:5000/lab/probe:1"
    assert docker.daemon == {
        "default-address-pools": [{"base": "172.20.0.0/14", "size": 24}],
        "icc": False,
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-file": "3", "max-size": "10m"},
        "no-new-privileges": True,
    }


def test_undeclared_ports_are_closed_on_vms_and_untouched_on_existing_servers() -> None:
    hosts = program(vms=[GROUP], hosts=[SERVER], docker={}).hosts
    assert [h.docker.undeclared for h in hosts] == ["closed", "closed", "untouched"]
    (told,) = program(hosts=[SERVER], docker={"undeclared": "closed"}).hosts
    assert told.docker.undeclared == "closed"
    assert told.docker.daemon["userland-proxy"] is False, "it would serve undeclared ports past the rules"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"docker": {"version": "9"}}, r'docker.version: "9", expected one of 26.1'),
        (
            {"docker": {"pools": [{"base": "10.77.0.0/16"}]}},
            r"docker.pools\[0\].base: .*outside of the site's networks \(vmbr0 is 10.77.0.0/24\)",
        ),
        ({"docker": {"pools": [{"base": "172.20.0.0/20"}]}}, "docker.pools: .*16 networks.*room for 60"),
        ({"docker": {"pools": [{"base": "172.20.0.0/24", "size": 20}]}}, r"docker.pools\[0\].size"),
        ({"hosts": [{**SERVER, "os": "windows"}]}, r"hosts\[0\].os: .windows., expected linux"),
        ({"hosts": [SERVER, SERVER]}, "name srv-1 is used 2 times"),
        ({"hosts": [{**SERVER, "name": "vm-app-1"}], "vms": [GROUP]}, "name vm-app-1 is used 2 times"),
        ({"hosts": [{**SERVER, "address": "10.77.0.12"}], "vms": [GROUP]}, "address 10.77.0.12 is used 2 times"),
        ({"hosts": [{**SERVER, "host_key": "AAAA"}]}, r"hosts\[0\].host_key"),
        ({"hosts": [{**SERVER, "address": "a;reboot"}]}, r"hosts\[0\].address"),
        ({"hosts": [{**SERVER, "docker": {"version": "x"}}]}, r"hosts\[0\].docker.version"),
        ({"baseline": {"firewall": {"open": {"web": {"ports": ["70000/tcp"]}}}}}, "baseline.firewall.open.web"),
        ({"baseline": {"updates": {"policy": "all", "reboot": "window"}}}, "baseline.updates: .*`window`"),
        ({"baseline": {"time": {}}}, "baseline.time: .*at least one of"),
        ({"baseline": {"timzone": "UTC"}}, "baseline.timzone: unknown setting; did you mean `timezone`"),
    ],
)
def test_what_cannot_be_is_refused_by_field_with_a_remedy(settings: dict[str, Any], message: str) -> None:
    hosts = {} if "hosts" in settings or "vms" in settings else {"hosts": [SERVER]}
    with pytest.raises(SettingsError, match=message):
        program(**hosts, **settings)


def test_a_missing_key_file_is_named_only_where_docker_is_wanted(lab_site: Path) -> None:
    (lab_site.parent / "docker.asc").unlink()
    assert program(hosts=[SERVER]).hosts[0].docker is None
    assert "docker.dnf.key" in refusal(hosts=[SERVER], docker={})


def test_a_site_without_docker_says_where_to_say_it(lab_site: Path) -> None:
    text = lab_site.read_text()
    lab_site.write_text(text[: text.index("\ndocker:")] + text[text.index("\nregistry:") :])
    assert "expected `docker` in sites/lab.yaml" in refusal(hosts=[SERVER], docker={})


def test_a_set_of_versions_holds_all_five_packages(lab_site: Path) -> None:
    lab_site.write_text(lab_site.read_text().replace("      containerd.io: 1.7.24\n", ""))
    assert "exactly the packages docker-ce, docker-ce-cli, containerd.io" in refusal(hosts=[SERVER])
