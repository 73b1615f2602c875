"""Reads the hosts and pages of an environment: `pulumi config set environment organization/hypercompose/acceptance`."""

import pulumi

environment = pulumi.StackReference(pulumi.Config().require("environment"))
version = environment.require_output("contract")
version.apply(lambda found: found.startswith("1.") or pulumi.error(f"contract {found}, this program reads 1.x"))

hosts = environment.require_output("hosts")
pulumi.export("addresses", hosts.apply(lambda found: {name: host["address"] for name, host in found.items()}))
pulumi.export(
    "pages", environment.require_output("stacks").apply(lambda found: {n: s["urls"] for n, s in found.items()})
)
pulumi.export("portainers", environment.require_output("portainers"))  # its password stays secret
