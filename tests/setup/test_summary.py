"""What `make up` prints of the hosts."""

from pathlib import Path

from setup.summary import known_hosts_lines, summary

OUTPUTS = {
    "hosts": {
        "vm": {"address": "10.0.0.5", "port": 22, "user": "ops", "host_key": "ssh-ed25519 AAAA"},
        "srv": {"address": "10.0.0.6", "port": 2222, "user": "root", "host_key": "ssh-ed25519 BBBB"},
        "coming": {"address": "10.0.0.7"},
    }
}


def test_known_hosts_name_a_port_that_is_not_the_usual_one() -> None:
    assert list(known_hosts_lines(OUTPUTS)) == ["10.0.0.5 ssh-ed25519 AAAA\n", "[10.0.0.6]:2222 ssh-ed25519 BBBB\n"]


def test_the_line_to_paste_has_the_port_and_trusts_the_pinned_key_alone() -> None:
    lines = [line for line in summary(OUTPUTS, Path("known"), "key") if "  ssh " in line]
    assert lines == [
        "  ssh       ssh -i key -o UserKnownHostsFile=known ops@10.0.0.5",
        "  ssh       ssh -i key -o UserKnownHostsFile=known -p 2222 root@10.0.0.6",
    ]


def test_every_page_is_named_with_its_address() -> None:
    outputs = {
        "portainers": {"vm": {"url": "https://10.0.0.5:9443", "user": "admin"}},
        "stacks": {"shop": {"urls": {"web": "http://10.0.0.5:8080"}}, "job": {"urls": {}}},
    }
    assert list(summary(outputs, Path("known"), None)) == [
        "portainer on vm: https://10.0.0.5:9443",
        "shop web: http://10.0.0.5:8080",
    ]
