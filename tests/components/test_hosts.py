"""Hosts in the graph: which steps, in which order, with which options."""

from __future__ import annotations

import itertools
from typing import Any

import pulumi
import pytest

from components.hosts import HostAccess, build_host, existing_connection
from components.secrets import Secrets
from components.site_access import SiteAccess
from provisioning.steps.kinds import BY_NAME
from settings import load_site
from settings.baseline import Baseline
from settings.docker_plan import DockerPlan, RegistryPlan
from settings.host import Command, ExistingHost
from settings.host_plan import HostPlan
from tests.components.recording import Recording, record

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
ALL = Baseline.model_validate(
    {
        "packages": ["tree", "dnf:epel-release"],
        "set_hostname": True,
        "timezone": "Europe/Paris",
        "time": {"servers": ["10.77.0.1"]},
        "groups": {"deploy": {}},
        "users": {"alice": {"groups": ["deploy"], "keys": [f"{KEY} alice"]}},
        "sudo": {"deploy": ["%deploy ALL=(ALL) NOPASSWD: /usr/bin/systemctl"]},
        "ssh": {},
        "sysctl": {"net.ipv4.tcp_syncookies": 1},
        "swap_mib": 512,
        "firewall": {"open": {"web": {"ports": ["443/tcp"], "sources": ["10.0.0.0/8"]}}, "zones": {"mon": {}}},
        "updates": {"policy": "security", "reboot": "window", "window": "03:30"},
        "journald": {"max_use_mib": 512},
        "mounts": [{"device": "LABEL=data", "mount": "/srv/data", "filesystem": "xfs"}],
    }
)
DOCKER = DockerPlan(
    repositories={"dnf": {"url": "https://mirror.example.com/9", "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"}},
    versions={
        "docker-ce": "26.1.5",
        "docker-ce-cli": "26.1.5",
        "containerd.io": "1.7.24",
        "docker-buildx-plugin": "0.13.1",
        "docker-compose-plugin": "2.26.1",
    },
    replace=False,
    daemon={"live-restore": True},
    published={"web": {"ports": ["8080/tcp"], "sources": ["10.0.0.0/8"]}},
    undeclared="closed",
    pools=("172.20.0.0/14",),
    users=("alice",),
    registry=RegistryPlan(
        host="registry.example.com:5000",
        ca="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        user="lab",
        proof_image="registry.example.com:5000/lab/probe:1",
        proof_port=8080,
    ),
)
COMMANDS = (
    Command(name="warm", create="true", after="baseline", triggers=("1",)),
    Command(name="last", create="true"),
)


def register(*, vm: bool = False, **parts: Any) -> Recording:
    def run() -> Any:
        secrets = Secrets(api_token=None, ssh_private_key=None, registry_password=None)
        site = SiteAccess("site", load_site("lab"), secrets)
        password = pulumi.Output.secret("hunter2")
        access = HostAccess(
            site=site, stack="dev", site_id="lab", user="ops", registry_password=password, private_key="PRIVATE"
        )
        host = ExistingHost(name="srv", address="10.77.0.50", host_key=f"{KEY} comment", port=2222)
        place = existing_connection(host, access)
        if vm:
            place = type(place)(**{**vars(place), "vm": "1100", "gone_with": site.claim})
        unsaid = {"baseline": None, "docker": None, "portainer": None, "commands": ()}
        plan = HostPlan(name="srv", existing=host, **{**unsaid, **parts})
        build_host(plan, place, access)
        return access

    return record(run)[0]


@pytest.fixture(scope="module")
def whole() -> Recording:
    return register(baseline=ALL, docker=DOCKER, commands=COMMANDS)


def steps(recording: Recording) -> list[str]:
    return [
        name
        for name, kind in recording.types.items()
        if kind.startswith("hypercompose:host:") and "step" in recording.inputs[name]
    ]


def test_every_setting_becomes_a_step_of_its_own_in_one_chain(whole: Recording) -> None:
    names = steps(whole)
    assert names[0] == "srv-host"
    assert {"srv-user-alice", "srv-sudo-deploy", "srv-mount-srv-data", "srv-docker-proof"} <= set(names)
    assert {whole.types[name].rpartition(":")[2] for name in names} == set(BY_NAME) - {
        "ReleaseGate",
        "PortainerServer",
        "SecretFiles",
        "ShareMount",
        "Router",  # of hosts that take instances
        "Route",
        "DockerListener",  # of hosts that another one's Portainer deploys to
    }
    for before, after in itertools.pairwise(names):
        assert any(urn.endswith(f"::{before}") for urn in whole.requests[after].dependencies), (before, after)


def test_what_the_components_send_is_what_the_kinds_take(whole: Recording) -> None:
    for name in steps(whole):
        kind = BY_NAME[whole.types[name].rpartition(":")[2]]
        args = {k: whole_numbers(v) for k, v in whole.inputs[name].items() if k not in ("connection", "step", "vm")}
        assert list(kind.problems(args)) == [], name
        assert kind.step(name, args).name == name


def whole_numbers(value: Any) -> Any:
    """A mock's numbers are all floats; the provider makes whole ones of them again."""
    if isinstance(value, dict):
        return {name: whole_numbers(inner) for name, inner in value.items()}
    return int(value) if isinstance(value, float) else value


def test_names_of_the_settings_pass_as_they_are(whole: Recording) -> None:
    assert whole.inputs["srv-sysctl"]["settings"] == {"net.ipv4.tcp_syncookies": "1"}
    assert whole.inputs["srv-host"]["connection"] == {
        "host": "10.77.0.50",
        "port": 2222,
        "user": "ops",
        "host_key": KEY,
    }


def test_configuration_and_closed_ports_come_before_docker_first_starts(whole: Recording) -> None:
    names = steps(whole)
    order = [names.index(f"srv-docker-{part}") for part in ("repository", "daemon", "firewall", "packages", "service")]
    assert order == sorted(order)


def test_the_registry_password_is_a_secret(whole: Recording) -> None:
    assert "password" in whole.requests["srv-registry-login"].additionalSecretOutputs
    assert "hunter2" not in str({n: i for n, i in whole.inputs.items() if n != "srv-registry-login"})


def test_commands_of_ones_own_have_the_host_key_and_log_nothing(whole: Recording) -> None:
    warm, last = whole.inputs["srv-command-warm"], whole.inputs["srv-command-last"]
    assert (warm["connection"]["value"]["hostKey"], warm["logging"]) == (KEY, "none")  # the whole of it is a secret
    assert warm["addPreviousOutputInEnv"] is False
    assert warm["triggers"] == ["1"]
    assert {"stdout", "stderr"} <= set(whole.requests["srv-command-warm"].additionalSecretOutputs)
    waits = whole.requests["srv-command-last"].dependencies
    assert any(urn.endswith("::srv-docker-proof") for urn in waits)
    assert any(urn.endswith("::srv-command-warm") for urn in waits)
    assert last["create"] == "true"


def test_on_a_vm_everything_knows_its_id_and_goes_with_it() -> None:
    recording = register(vm=True, baseline=ALL, docker=DOCKER, commands=COMMANDS)
    for name in steps(recording):
        assert recording.inputs[name]["vm"] == "1100"
        assert recording.requests[name].deletedWith.endswith("::site-claim")
    assert recording.inputs["srv-command-warm"]["triggers"] == ["1100", "1"]
    assert recording.requests["srv-command-warm"].deletedWith.endswith("::site-claim")


def test_a_host_of_which_nothing_is_said_is_left_alone() -> None:
    assert steps(register()) == []


def test_children_have_their_component_as_parent(whole: Recording) -> None:
    assert whole.requests["srv-sysctl"].parent.endswith("hypercompose:host:HostBaseline::srv-baseline")
    assert whole.requests["srv-docker-service"].parent.endswith("hypercompose:docker:DockerHost::srv-docker")
