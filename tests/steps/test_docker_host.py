"""Docker on real guests of both families: from nothing, through drift, scans and versions, back to nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network

import pytest

from provisioning.hosts import StepFailed
from provisioning.steps.kinds import BY_NAME
from tests.steps.docker_chain import OLD, DockerChain
from tests.steps.guests import REGISTRY, StepGuests

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
PROBE = f"{REGISTRY}/lab/probe:1"
EVERYTHING = [
    "DockerRepository",
    "DockerDaemon",
    "DockerFirewall",
    "DockerPackages",
    "DockerService",
    "DockerUsers",
    "RegistryTrust",
    "RegistryLogin",
    "DockerProof",
]


@pytest.fixture(scope="module", params=["dnf", "apt"])
def docker(request: pytest.FixtureRequest, guests: StepGuests) -> Iterator[DockerChain]:
    """A guest that becomes a Docker host; firewalld runs there, as a baseline would have it."""
    chain = DockerChain(guests, request.param)
    chain.must("systemctl enable --now firewalld 2>/dev/null")
    yield chain
    chain.must("systemctl disable --now firewalld 2>/dev/null")


def test_a_bare_host_gets_docker_and_runs_a_container_of_the_sites_registry(docker: DockerChain) -> None:
    changed = docker.converge()
    # a deb starts and enables what it installs, an RPM does not
    assert [kind for kind in EVERYTHING if kind in changed or kind == "DockerService"] == EVERYTHING
    assert docker.must(f"docker image inspect -f ok {PROBE}") == "ok"
    assert docker.must("docker ps -aq") == ""


def test_the_second_time_nothing_changes(docker: DockerChain) -> None:
    assert docker.converge() == []
    assert docker.drift() == {}


def test_the_daemon_is_as_a_site_wants_it(docker: DockerChain) -> None:
    info = docker.must("docker info -f '{{.LiveRestoreEnabled}} {{.LoggingDriver}} {{.SecurityOptions}}'")
    assert info.startswith("true json-file")
    assert "no-new-privileges" in info
    assert docker.must("ss -Hlnt | grep -c ':237[56]' || true") == "0"
    assert docker.must("stat -c '%a %U' /root/.docker/config.json") == "600 root"
    docker.must("for n in $(seq 4); do docker network create walk-$n >/dev/null; done")
    networks = docker.must("docker network ls -q --filter name=walk | xargs docker network inspect")
    docker.must("docker network ls -q --filter name=walk | xargs docker network rm >/dev/null")
    subnets = [network["IPAM"]["Config"][0]["Subnet"] for network in json.loads(networks)]
    assert len(subnets) == 4
    assert all(IPv4Network(subnet).subnet_of(IPv4Network("172.20.0.0/14")) for subnet in subnets)


BY_HAND: dict[str, tuple[str, str, dict[str, object]]] = {
    "stopped": ("systemctl stop docker.socket docker", "DockerService", {"running": False}),
    "daemon.json": ("sed -i 's/10m/99m/' /etc/docker/daemon.json", "DockerDaemon", {}),
    "user taken out": ("gpasswd -d ops docker >/dev/null", "DockerUsers", {"users": []}),
    "logged out": ("DOCKER_CONFIG=/root/.docker docker logout " + REGISTRY, "RegistryLogin", {"user": ""}),
    "other password": (
        'sed -i \'s/"auth": ".*"/"auth": "\'$(printf lab:other | base64)\'"/\' /root/.docker/config.json',
        "RegistryLogin",
        {"state": "logged in with another password, or not by us"},
    ),
    "rules gone": (
        "nft delete table inet hypercompose_docker",
        "DockerFirewall",
        {"state": "running rules: absent (wanted as written)"},
    ),
    "image gone": ("docker rmi -f $(docker images -q) >/dev/null", "DockerProof", {}),
}


def test_the_registrys_password_is_in_no_list_of_processes(docker: DockerChain) -> None:
    lists = "while [ ! -e /tmp/watched ]; do cat /proc/[0-9]*/cmdline | tr '\\0' ' '; done 2>/dev/null"
    seen = ""
    for _ in range(5):  # the login is short, and a busy machine looks seldom
        docker.must(f"DOCKER_CONFIG=/root/.docker docker logout {REGISTRY}")
        with ThreadPoolExecutor() as pool:
            watched = pool.submit(docker.guests.shell, docker.family, lists)
            assert docker.converge() == ["RegistryLogin"]
            docker.must("touch /tmp/watched")
            seen += watched.result().stdout
        docker.must("rm /tmp/watched")
        if "--password-stdin" in seen:
            break
    assert "--password-stdin" in seen, "the login was not among what was watched"
    assert docker.guests.registry_password not in seen


@pytest.mark.parametrize("change", BY_HAND)
def test_what_somebody_changes_is_read_in_its_own_words_and_healed(docker: DockerChain, change: str) -> None:
    by_hand, kind, reads = BY_HAND[change]
    docker.must(by_hand)
    seen = docker.drift()[kind]
    assert {name: seen[name] for name in reads} == reads
    if kind == "DockerDaemon":
        assert seen["config"]["log-opts"] == {"max-size": "99m"}
    assert kind in docker.converge()
    assert docker.drift() == {}


def test_a_repository_that_is_not_there_fails_each_time_and_not_only_the_first(docker: DockerChain) -> None:
    args = docker.arguments()["DockerRepository"]
    elsewhere = {name: {**args[name], "url": f"{args[name]['url']}-elsewhere"} for name in args}
    for _ in range(2):
        with pytest.raises(StepFailed, match=r"docker-elsewhere|All mirrors were tried"):
            docker.converge(DockerRepository=elsewhere)
    assert docker.converge() == ["DockerRepository"]


def test_updates_do_not_move_docker_whoever_else_offers_it(docker: DockerChain) -> None:
    if docker.family == "dnf":
        own, other = "/etc/yum.repos.d/hypercompose-docker.repo", "/etc/yum.repos.d/docker-ce.repo"
        docker.must(f"sed -e 's/^.hyper.*/[docker-ce-stable]/' -e /excludepkgs/d {own} >{other}")
        assert docker.drift()["DockerPackages"] == {"state": "held: no (wanted yes)"}
        assert docker.converge() == ["DockerPackages"]
        docker.must(f"dnf -y -q upgrade 'docker*' 'containerd*'; rm {other}")
    else:
        docker.must("apt-get -q -y -o APT::Get::Upgrade-Allow-New=true dist-upgrade")
    assert docker.drift() == {}


def test_an_older_package_is_read_as_its_version_and_healed(docker: DockerChain) -> None:
    if docker.family == "apt":  # as on a host whose lists are older than the version
        docker.must("rm -f /var/lib/apt/lists/*_apt_docker_* /var/cache/apt/*.bin")
    docker.converge(DockerPackages={"versions": docker.newer()})
    drift = docker.drift()["DockerPackages"]["versions"]
    assert drift == docker.newer()
    assert docker.converge() != []
    assert docker.drift() == {}


def test_published_ports_open_for_declared_sources_only_through_everything(docker: DockerChain) -> None:
    run = "docker run -d --restart always"
    docker.must(f"{run} --name declared -p 8080:8080 {PROBE} >/dev/null")
    docker.must(f"{run} --name undeclared -p 8081:8080 {PROBE} >/dev/null")
    docker.must(f"{run} --name local -p 127.0.0.1:8082:8080 {PROBE} >/dev/null")
    wanted: dict[str, list[int]] = {"here": [8080], "neighbour": []}

    def holds() -> None:
        deadline = time.monotonic() + 20
        while (seen := docker.scan()) != wanted and time.monotonic() < deadline:
            assert seen == {"here": [], "neighbour": []}, "what is closed is closed at once, not in the end"
            time.sleep(0.2)
        assert seen == wanted

    holds()
    assert docker.must("curl -fs http://127.0.0.1:8082/") != ""
    for event in (
        "firewall-cmd -q --reload",
        "systemctl reset-failed docker; systemctl restart docker",
        "systemctl restart firewalld",
    ):
        docker.must(event)
        holds()
    docker.must("systemctl stop firewalld; iptables -t nat -F")
    assert docker.scan() == {"here": [], "neighbour": []}, "docker-proxy serves where NAT rules are missing"
    docker.must("systemctl start firewalld; systemctl reset-failed docker; systemctl restart docker")
    holds()
    without = docker.must("nft delete table inet hypercompose_docker; sleep 0.2; echo gone")
    assert without == "gone"
    assert 8081 in docker.scan()["neighbour"], "the scan shows nothing: the port is closed by something else"
    docker.must("systemctl reset-failed docker; systemctl restart docker")
    holds()
    docker.must("systemd-run -q --on-active=0.2 --timer-property=AccuracySec=10ms systemctl reboot")
    time.sleep(3)
    docker.guests.ssh.forget(docker.guests.addresses[docker.family])
    docker.guests.ssh.wait(docker.guests.addresses[docker.family], 60)
    docker.must("for _ in $(seq 100); do docker info >/dev/null 2>&1 && break; sleep 0.2; done")
    holds()
    assert docker.drift() == {}


def test_containers_go_on_through_an_upgrade_and_back(docker: DockerChain) -> None:
    state = "docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' declared undeclared local"
    before = docker.must(state)
    newer = docker.newer()
    assert newer["docker-ce"] != OLD["docker-ce"]
    assert "DockerPackages" in docker.converge(DockerPackages={"versions": newer})
    assert docker.must("docker version -f '{{.Server.Version}}'").startswith(newer["docker-ce"])
    assert docker.must(state) == before
    assert docker.open_from_here(8080)
    assert "DockerPackages" in docker.converge()
    assert docker.must("docker version -f '{{.Server.Version}}'").startswith(OLD["docker-ce"])
    assert docker.must(state) == before
    assert docker.open_from_here(8080)


def test_a_wrong_password_is_the_registrys_word_and_no_secret(docker: DockerChain) -> None:
    with pytest.raises(StepFailed) as failed:
        docker.converge(RegistryLogin={"password": "hunter2-canary"})
    assert "Unauthorized" in str(failed.value)
    assert "hunter2" not in str(failed.value)
    assert "RegistryLogin" in docker.converge()


def test_a_daemon_that_does_not_start_leaves_the_old_file_and_a_running_docker(docker: DockerChain) -> None:
    with pytest.raises(StepFailed, match="the old one is back"):
        docker.converge(DockerDaemon={"config": {"live-restore": True, "storage-driver": "nonsense"}})
    assert docker.must("docker info -f ok") == "ok"
    assert docker.drift() == {}


def test_no_setting_ends_containers_that_somebody_runs(docker: DockerChain) -> None:
    state = "docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' declared undeclared local"
    before = docker.must(state)
    with pytest.raises(StepFailed, match=r"without live-restore in the new daemon\.json its restart would end them"):
        docker.converge(DockerDaemon={"config": {"live-restore": False}})
    docker.must("echo '{\"live-restore\": false}' >/etc/docker/daemon.json; systemctl reload docker; sleep 1")
    with pytest.raises(StepFailed, match="a change of Docker's version would end them"):
        newer = BY_NAME["DockerPackages"].step("walk-DockerPackages", {"versions": docker.newer()})
        docker.guests.hosts.converge(docker.guests.addresses[docker.family], newer)
    broken = {"live-restore": True, "storage-driver": "nonsense"}
    with pytest.raises(StepFailed, match="the old one is back"):
        docker.converge(DockerDaemon={"config": broken})
    assert docker.must("cat /etc/docker/daemon.json") == '{"live-restore": false}'
    assert docker.must(state) == before
    assert docker.converge() == ["DockerDaemon"]
    assert docker.must(state) == before


def test_docker_is_not_taken_away_from_under_somebodys_containers(docker: DockerChain) -> None:
    with pytest.raises(StepFailed, match=r"still run: .*undeclared.*stop or move them"):
        docker.revert("DockerPackages")
    assert docker.open_from_here(8080)


def test_taken_back_nothing_of_ours_is_left(docker: DockerChain) -> None:
    docker.must("docker ps -aq | xargs docker rm -f >/dev/null")
    docker.revert()
    docker.must("! command -v dockerd")
    docker.must("test ! -e /var/lib/hypercompose && test ! -e /etc/hypercompose && test ! -e /root/.docker/config.json")
    docker.must("! find /etc -name '*hypercompose*' | grep . && ! nft list tables | grep hypercompose")
    assert "docker" not in docker.must("id -nG ops")
    docker.must("! rpm -qi gpg-pubkey | grep 'Docker Release'; ! dpkg -l | grep -E '^[a-z]{2} +(docker|containerd)'")
    docker.must("! ls /etc/systemd/system/*.wants/ | grep -E 'docker|containerd'; test -d /var/lib/docker")
    docker.revert()
