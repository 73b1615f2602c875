"""What an environment's stack tells: which hosts take instances, and how their Portainer is reached."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.check import ContractError, checked
from contract.outputs import HostingTold, HostTold, Outputs
from hosting.errors import HostingError
from hosting.hosts import HostOffer
from provisioning.host import Address
from provisioning.portainer.api import Place, Portainer
from settings.site import CHECKOUT

TIMEOUT_S = 120


class EnvironmentAway(HostingError):
    """Its outputs could not be read."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The outputs of one."""

    name: str
    outputs: Outputs = field(repr=False)

    def offers(self) -> list[HostOffer]:
        """Its hosts, as rows are made of them."""
        return [_offer(self.name, host, told) for host, told in self.outputs.hosting.items()]

    def portainer(self, host: str) -> tuple[Portainer, int]:
        """The Portainer that deploys to a host, and the environment's number there."""
        told = self._told(host)
        place = Place(url=told.portainer, certificate=told.certificate)
        return Portainer(place, api_key=self.outputs.hosting_keys[host]), told.environment_id

    def address(self, host: str) -> Address:
        """How to log in there."""
        self._told(host)
        found: HostTold = self.outputs.hosts[host]
        return Address(host=found.address, port=found.port, user=found.user, host_key=found.host_key)

    def _told(self, host: str) -> HostingTold:
        told = self.outputs
        if not all(host in each for each in (told.hosting, told.hosting_keys, told.hosts)):
            raise EnvironmentAway(
                f"host: {host!r} takes no instances in {self.name} any more; name it in its `hypercompose:hosting`, "
                "and bring that environment up"
            )
        return self.outputs.hosting[host]


def read_environment(name: str, environ: Mapping[str, str] | None = None) -> Environment:
    """Ask the engine. EnvironmentAway."""
    env = dict(os.environ if environ is None else environ)
    env.pop("PULUMI_OPTION_CONFIG_FILE", None)
    line = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", name]
    try:
        done = subprocess.run(
            line, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        remedy = f"run this by `make`, which has the engine; `make up STACK={name}` tells more"
        raise EnvironmentAway(
            f"environment {name}: its outputs cannot be read ({type(error).__name__}); {remedy}"
        ) from error
    if done.returncode:
        why = " ".join(done.stderr.split())[-300:]
        raise EnvironmentAway(f"environment {name}: its outputs cannot be read: {why}; `make up STACK={name}`")
    return _checked(name, done.stdout)


def _checked(name: str, said: str) -> Environment:
    """What is wrong is told without what was said, which holds secrets."""
    try:
        told: Mapping[str, Any] = json.loads(said)
        return Environment(name=name, outputs=checked(told))
    except ValueError:
        raise EnvironmentAway(f"environment {name}: its outputs are no JSON; `make up STACK={name}`") from None
    except ContractError as error:
        raise EnvironmentAway(f"environment {name}: {error}; `make up STACK={name}`") from error


def _offer(environment: str, host: str, told: HostingTold) -> HostOffer:
    return HostOffer(
        environment=environment,
        host=host,
        address=told.address,
        first_port=told.first_port,
        last_port=told.last_port,
        memory_mib=told.memory_mib,
        networks=told.networks,
        is_open=told.is_open,
        domain=told.domain,
        route_port=told.route_port,
    )
