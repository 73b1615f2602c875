"""What violates each rule, and what does not: rule -> (violating, clean), each a list of resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from policies.resource import Resource
from provider.values import UNKNOWN

STACK, PUBLICATION = "hypercompose:portainer:Stack", "hypercompose:git:Publication"
GATED = "hypercompose:portainer:GatedStack"
VM, COMMAND = "proxmoxve:index/vmLegacy:VmLegacy", "command:remote:Command"
PINNED = f"registry.example.com/web@sha256:{'a' * 64}"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
GOOD: dict[str, Any] = {
    "image": PINNED,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "mem_limit": "64m",
    "pids_limit": 32,
    "healthcheck": {"test": ["CMD", "healthcheck"]},
}


def resource(type_: str, *secret: str, protect: bool = False, **properties: Any) -> Resource:
    return Resource(type=type_, name="x", properties=properties, secret=frozenset(secret), protect=protect)


def step(kind: str, *secret: str, **properties: Any) -> Resource:
    return resource(f"hypercompose:host:{kind}", *secret, **properties)


def inline(service: Mapping[str, Any], **more: Any) -> Resource:
    """An inline stack of one service, with all that is good unless it says otherwise."""
    return resource(STACK, inline=yaml.safe_dump({"services": {"web": {**GOOD, **service}}, **more}))


def published(text: str, name: str = "compose.yaml") -> Resource:
    return resource(PUBLICATION, files={name: text, "notes.txt": "services: {x: {privileged: true}}"})


def vm(*, protect: bool = False, **properties: Any) -> Resource:
    root = {"interface": "scsi0", "size": 50}
    return resource(VM, protect=protect, **{"disks": [root], "started": True, "protection": False, **properties})


DATA: list[Any] = [{"interface": "scsi0"}, {"interface": "scsi1", "pathInDatastore": UNKNOWN}]
HOLDER: dict[str, Any] = {"disks": [{"interface": "scsi1"}], "started": False}
OPEN = {"ports": ["8080/tcp"], "sources": ["10.0.0.0/8"]}
SSHD = {"permit_root_login": "no", "password_login": False, "max_auth_tries": 4, "login_grace_s": 60}
DAEMON = {"icc": False, "live-restore": True, "no-new-privileges": True, "log-opts": {"max-size": "10m"}}
LOGIN = {"host": "10.0.0.1", "user": "ops"}

CASES: dict[str, tuple[list[Resource], list[Resource]]] = {
    "host-key-pinned": (
        [
            step("Sysctl", connection={**LOGIN, "host_key": ""}),
            step("Sysctl"),
            step("Ready", oneTimeKey=None),
            step("HostKey", hostKey="*"),
            step("Filesystem"),
            resource(STACK, connection=LOGIN),
            resource(GATED, connection=LOGIN),
            resource(COMMAND, connection={**LOGIN, "hostKey": "ssh-ed25519 AAAA\nother"}),
        ],
        [
            step("Sysctl", connection={**LOGIN, "host_key": KEY}),
            step("Ready", oneTimeKey=KEY),
            step("HostKey", hostKey=UNKNOWN),
            step("Filesystem", hostKey=f"{KEY} of a friend"),
            step("AgentKey"),
            step("HostBaseline"),
            resource(STACK, connection=UNKNOWN),
            resource(GATED, connection={**LOGIN, "host_key": KEY}),
            resource(COMMAND, connection={**LOGIN, "hostKey": KEY}),
            resource("command:local:Command"),
        ],
    ),
    "tls-verified": (
        [
            resource("pulumi:providers:proxmoxve", insecure="true"),
            resource("pulumi:providers:hypercompose", endpoint="http://pve.example.com:8006"),
            resource(PUBLICATION, url="http://git.example.com/a.git", password="x"),
            resource(STACK, url="http://git.example.com/a.git", password=UNKNOWN),
            resource(GATED, url="http://git.example.com/a.git", password="x"),
            resource(GATED, url="https://git.example.com/a.git", server={"url": "http://10.0.0.1:9000"}),
            resource("hypercompose:portainer:Access", url="http://10.0.0.1:9000"),
            resource(STACK, server={"url": "HTTP://10.0.0.1:9000"}),
            step("DockerDaemon", config={"insecure-registries": ["registry.example.com"]}),
            step("DockerDaemon", config={"registry-mirrors": ["http://mirror.example.com"]}),
        ],
        [
            resource("pulumi:providers:proxmoxve", insecure="false", endpoint="https://pve.example.com:8006"),
            resource(STACK, url="http://git.example.com/public.git", server={"url": UNKNOWN}),
            resource(GATED, url="http://git.example.com/public.git", server={"url": "https://10.0.0.1:9443"}),
            resource("hypercompose:portainer:Registry", url="registry.example.com"),
            step("DockerDaemon", config={"registry-mirrors": ["https://mirror.example.com"]}),
        ],
    ),
    "portainer-certificate-pinned": (
        [
            resource("hypercompose:portainer:Access", certificate=""),
            resource(STACK, server={"url": "https://x"}),
            resource(GATED, server={"url": "https://x"}),
        ],
        [
            resource("hypercompose:portainer:Access", certificate=PEM),
            resource(STACK, server={"certificate": UNKNOWN}),
            resource(GATED, server={"certificate": PEM}),
        ],
    ),
    "vm-with-data-protected": (
        [vm(disks=DATA), vm(**HOLDER), vm(disks=[UNKNOWN]), vm(disks=DATA, protection=True)],
        [vm(), vm(disks=DATA, protection=True, protect=True), vm(**HOLDER, protection=True, protect=True)],
    ),
    "vm-protected": ([vm(), vm(protection=True)], [vm(disks=DATA), vm(protection=True, protect=True)]),
    "vm-starts-with-node": ([vm(onBoot=False)], [vm(onBoot=True), vm(**HOLDER, onBoot=False)]),
    "vm-never-adopted": ([vm(clone={"vmId": 9000})], [vm(clone={"vmId": 9000, "retries": 1}), vm()]),
    "ssh-by-key-only": (
        [
            step("SshServer", **{**SSHD, "permit_root_login": "prohibit-password"}),
            step("SshServer", **{**SSHD, "password_login": True}),
        ],
        [step("SshServer", **SSHD)],
    ),
    "ssh-without-guessing": (
        [step("SshServer", **{**SSHD, "max_auth_tries": 5}), step("SshServer", **{**SSHD, "login_grace_s": 120})],
        [step("SshServer", **SSHD)],
    ),
    "sudo-names-commands": (
        [step("SudoRule", rules=["%wheel ALL=(ALL) NOPASSWD: ALL"])],
        [step("SudoRule", rules=["%deploy ALL=(ALL) NOPASSWD: /usr/bin/systemctl", "alice ALL=(ALL) ALL"])],
    ),
    "docker-daemon-confined": (
        [
            step("DockerDaemon", config={**DAEMON, "icc": True}),
            step("DockerDaemon", config={**DAEMON, "hosts": ["unix:///run/docker.sock", "tcp://0.0.0.0:2375"]}),
            step("DockerDaemon", config={**DAEMON, "log-opts": {}}),
            step("DockerDaemon", config={}),
        ],
        [step("DockerDaemon", config=DAEMON), step("DockerDaemon", config={**DAEMON, "log-driver": "journald"})],
    ),
    "packages-signed": (
        [
            step("DockerRepository", dnf={"url": "http://x", "key": ""}),
            step("DockerRepository", apt={"url": "http://x"}),
        ],
        [step("DockerRepository", dnf={"url": "http://x", "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----"})],
    ),
    "updates-by-itself": ([step("Updates", policy="none")], [step("Updates", policy="security")]),
    "commands-not-logged": (
        [
            resource(COMMAND, logging="stdout", addPreviousOutputInEnv=False),
            resource(COMMAND, logging="none"),
            resource("command:local:Command"),
        ],
        [resource(COMMAND, logging="none", addPreviousOutputInEnv=False)],
    ),
    "ports-allowed": (
        [
            step("DockerFirewall", published={"a": {"ports": ["2375/tcp"]}}),
            step("DockerFirewall", published={"a": {"ports": ["9443/tcp"]}}),
            step("DockerFirewall", published={"docker-api": {"ports": ["2376/tcp"], "sources": ["10.0.0.0/8"]}}),
            step("DockerFirewall", published={"a": {"ports": ["9000-9500/tcp"]}}),
            step("DockerFirewall", published={"a": {"ports": ["45000/tcp"]}}),
            inline({"ports": ["22:2222"]}),
            inline({"ports": ["127.0.0.1:2376:80/tcp"]}),
            inline({"ports": ["[::1]:25:25"]}),
            inline({"ports": [{"target": 80, "published": "9443"}]}),
            published("services: {web: {ports: [22:22]}}"),
            published("services: {web: {ports: ['${PORT:-2375}:80']}}"),
            resource(STACK, inline="services: {web: {ports: ['$PORT:80']}}", env={"PORT": "22"}),
        ],
        [
            step("DockerFirewall", published={"a": OPEN, "portainer": {"ports": ["9443/tcp"]}}),
            step("DockerFirewall", published={"docker-api": {"ports": ["2376/tcp"], "sources": ["10.0.0.5/32"]}}),
            inline({"ports": ["80:80", "8443:443/tcp", "3000", "${PORT}:80", {"target": 80}]}),
            published("services: {web: {ports: ['${A:-0.0.0.0}:${PORT:-8080}:80']}}"),
            resource(STACK, inline=UNKNOWN),
        ],
    ),
    "sources-declared": (
        [
            step("DockerFirewall", published={"a": {"ports": ["8080/tcp"], "sources": []}}),
            step("Firewall", closed=True, open={"a": {"ports": ["443/tcp"]}}),
        ],
        [
            step("DockerFirewall", published={"a": {"ports": ["443/tcp"], "sources": ["0.0.0.0/0"]}}),
            step("Firewall", closed=True, open={"a": OPEN}),
            step("Firewall", closed=True, open={}),
        ],
    ),
    "not-open-to-everybody": (
        [
            step("DockerFirewall", published={"a": {"ports": ["443/tcp"], "sources": ["10.0.0.0/8", "0.0.0.0/0"]}}),
            step("Firewall", open={"a": {"ports": ["443/tcp"], "sources": ["::/0"]}}),
        ],
        [step("DockerFirewall", published={"a": OPEN}), step("Firewall", open={"a": OPEN})],
    ),
    "ssh-sources-declared": (
        [step("Firewall", ssh_sources=[]), step("Firewall", ssh_sources=["0.0.0.0/0"])],
        [step("Firewall", ssh_sources=["10.0.0.0/8"])],
    ),
    "hosts-closed": (
        [
            step("Firewall", closed=False),
            step("Firewall", closed=True, zones={"dmz": {"target": "ACCEPT"}}),
            step("DockerFirewall", undeclared="untouched", published={}),
        ],
        [
            step("Firewall", closed=True, zones={"dmz": {"target": "DROP"}}),
            step("DockerFirewall", undeclared="closed", published={}),
        ],
    ),
    "images-by-digest": (
        [
            inline({"image": "web:1"}),
            inline({"image": "web:1@sha256:short"}),
            inline({"image": f"$REGISTRY/{PINNED}:latest"}),
            resource(STACK, inline="services: {web: {build: .}}"),
            published("services: {web: {image: '${IMAGE:-nginx}'}}", "more/other.yml"),
            step("PortainerServer", image="portainer/portainer-ce:2.33.8"),
        ],
        [
            inline({}),
            published(f"services: {{web: {{image: '{PINNED}'}}}}"),
            step("PortainerServer", image=PINNED),
            step("PortainerServer", image=UNKNOWN),
        ],
    ),
    "containers-limited": (
        [inline({"mem_limit": None}), inline({"pids_limit": None})],
        [
            inline({}),
            inline(
                {
                    "mem_limit": None,
                    "pids_limit": None,
                    "deploy": {"resources": {"limits": {"memory": "64m", "pids": 3}}},
                }
            ),
        ],
    ),
    "containers-checked": (
        [inline({"healthcheck": None}), inline({"healthcheck": {"disable": True, "test": ["CMD", "x"]}})],
        [inline({})],
    ),
    "compose-files-seen": (
        [
            resource(STACK, url="https://git.example.com/a.git", ref="refs/heads/main"),
            resource(GATED, url="https://git.example.com/a.git", ref="refs/heads/main"),
        ],
        [
            resource(STACK, url="https://git.example.com/a.git", commit=UNKNOWN),
            resource(STACK, url="https://10.0.0.1:9444/shop.git", gated=True),
            resource(GATED, url="https://git.example.com/a.git", commit=UNKNOWN),
            inline({}),
        ],
    ),
    "volumes-stay": ([resource(STACK, keepVolumes=False)], [resource(STACK, keepVolumes=True)]),
    "no-privileged-container": (
        [
            inline({"privileged": True}),
            inline({"privileged": "true"}),
            inline({"privileged": "${P}"}),
            published("x: &x {privileged: true}\nservices: {web: {<<: *x}}"),
            published("services: {web: {privileged: '${P:-false}'}}"),
        ],
        [
            inline({}),
            inline({"privileged": False}),
            inline({"privileged": "${P:-false}"}),
            published("services: {web: {}}"),
        ],
    ),
    "no-host-namespace": (
        [
            inline({"network_mode": "host"}),
            inline({"pid": "host"}),
            inline({"ipc": "host"}),
            inline({"userns_mode": "host"}),
            inline({"network_mode": "$MODE"}),
            inline({"networks": ["all"]}, networks={"all": {"external": True, "name": "host"}}),
            inline({"networks": ["host"]}, networks={"host": {"external": True}}),
            inline({"networks": ["all"]}, networks={"all": {"external": {"name": "host"}}}),
            inline({"networks": ["all"]}, networks={"all": {"driver": "host"}}),
        ],
        [inline({"network_mode": "none", "networks": ["front"]}, networks={"front": None, "host": {"internal": True}})],
    ),
    "no-docker-socket": (
        [
            inline({"volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"]}),
            inline({"volumes": [{"type": "bind", "source": "/run/docker.sock", "target": "/s"}]}),
            inline({"volumes": ["s:/s"]}, volumes={"s": {"driver_opts": {"o": "bind", "device": "/run/docker.sock"}}}),
            inline({"volumes": ["${S:-/run/containerd/containerd.sock}:/s"]}),
            inline({"environment": {"DOCKER_HOST": "unix:///mnt/docker.sock"}}),
            resource(STACK, allowedPaths=["/run/docker.sock"]),
        ],
        [inline({"volumes": ["data:/var/lib/data", "/srv/web:/srv"]}), resource(STACK, allowedPaths=["/srv/web"])],
    ),
    "no-sensitive-path": (
        [
            inline({"volumes": ["/:/host"]}),
            inline({"volumes": ["/etc:/x:ro"]}),
            inline({"volumes": ["/srv/../etc/shadow:/x"]}),
            inline({"volumes": ["//var/lib/docker/volumes:/x"]}),
            inline({"volumes": ["/var:/x"]}),
            inline(
                {"volumes": ["v:/x"]}, volumes={"v": {"driver_opts": {"type": "none", "o": "rbind", "device": "/root"}}}
            ),
            inline({"devices": ["/dev/sda:/dev/xvda"]}),
            resource(STACK, allowedPaths=["/"]),
            resource(STACK, allowedPaths=["/etc/hypercompose/stacks/../../ssh"]),
        ],
        [
            inline({"volumes": ["data:/etc", "/srv/web:/srv", "/variable:/x", "/etcetera:/x"]}),
            inline({}, secrets={"s": {"file": "/etc/hypercompose/stacks/web/secrets/s"}}),
            resource(STACK, allowedPaths=["/etc/hypercompose/stacks/web/secrets", "/srv"]),
        ],
    ),
    "no-host-capability": (
        [inline({"cap_add": ["ALL"]}), inline({"cap_add": ["cap_sys_admin"]}), inline({"cap_add": ["$CAP"]})],
        [inline({"cap_add": ["NET_BIND_SERVICE", "CHOWN"]})],
    ),
    "confinement-stays-on": (
        [
            inline({"security_opt": ["seccomp:unconfined"]}),
            inline({"security_opt": ["apparmor = unconfined"]}),
            inline({"security_opt": ["no-new-privileges=false"]}),
            inline({"security_opt": ["${OPTION}"]}),
        ],
        [inline({"security_opt": ["no-new-privileges:true", "label=level:s0:c100,c200"]})],
    ),
    "containers-confined": (
        [inline({"cap_drop": ["CHOWN"]}), inline({"security_opt": []}), inline({"read_only": False})],
        [inline({}), inline({"security_opt": ["no-new-privileges"]})],
    ),
    "secrets-are-secret": (
        [
            resource("pulumi:providers:proxmoxve", apiToken="hypercompose@pve!a=b"),
            resource("pulumi:providers:hypercompose", sshPrivateKey="x"),
            step("PortainerServer", password="x"),
            step("SecretFiles", "files.b", files={"a": "x", "b": "y"}),
            resource(STACK, "hide.0", hide=["x", "y"]),
            resource(STACK, hook="x"),
            resource(GATED, "hook", hook="x", webhook="y"),
            resource(GATED, "webhook", hook="x", webhook="y"),
            resource(GATED, password="x"),
            resource(GATED, hide=["x"]),
            resource(GATED, env={"DB_PASSWORD": "hunter2"}),
            step("ReleaseGate", password="x"),
            step("RegistryLogin", password="x"),
            resource("hypercompose:portainer:Registry", "server.apiKey", server={"apiKey": "x"}, password="x"),
            resource(PUBLICATION, password="x"),
            resource(COMMAND, connection={"privateKey": "x"}),
            resource(STACK, env={"DB_PASSWORD": "hunter2"}),
            resource(STACK, env={"ConnectionStrings__Main": "Host=db;Password=hunter2"}),
            resource(STACK, env={"URL": "postgres://web:hunter2@db/web"}),
        ],
        [
            resource("pulumi:providers:proxmoxve", "apiToken", apiToken="x"),
            resource("pulumi:providers:hypercompose", apiToken=None),
            step("PortainerServer", password=UNKNOWN),
            step("SecretFiles", "files.a", files={"a": "x", "b": UNKNOWN}),
            resource(STACK, "hide.1", hide=[UNKNOWN, "y"]),
            resource(GATED, "hook", "webhook", "password", hook="x", webhook="y", password="z", env={"LEVEL": "info"}),
            step("ReleaseGate", "password", password="x"),
            resource(COMMAND, "connection", connection={"privateKey": "x"}),
            resource(STACK, "env.DB_PASSWORD", env={"DB_PASSWORD": "x", "DB_PASSWORD_FILE": "/run/x", "LEVEL": "info"}),
            resource(STACK, "server.apiKey", server={"apiKey": "x"}, hide=[], env={"API_TOKEN": ""}),
        ],
    ),
    "no-secret-in-compose": (
        [
            inline({"environment": {"POSTGRES_PASSWORD": "hunter2"}}),
            inline({"environment": ["API_TOKEN=hunter2"]}),
            inline({"environment": {"Main": "Host=db;Password=hunter2"}}),
        ],
        [
            inline({"environment": {"POSTGRES_PASSWORD_FILE": "/run/secrets/db", "POSTGRES_PASSWORD": "${DB}"}}),
            inline({"environment": ["LEVEL=info", "TOKEN"]}),
            inline({"environment": {"Main": "Host=db;Password File=/run/secrets/db"}}),
        ],
    ),
    "secrets-are-files": (
        [resource(STACK, "env.DB", env={"DB": "x"}), resource(GATED, "env.DB", env={"DB": "x"})],
        [resource(STACK, "hide", env={"LEVEL": "info", "SECRETS": "/etc/hypercompose/stacks/x"})],
    ),
}
