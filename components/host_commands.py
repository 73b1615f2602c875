"""HostCommands: commands that the settings declare for a host. Nothing reads their effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.host_steps import HostConnection
from settings.host import Command


@dataclass(frozen=True, kw_only=True)
class HostCommandsArgs:
    """`after`: the resources behind each word that a command may come after."""

    connection: HostConnection
    private_key: pulumi.Input[str]
    commands: tuple[Command, ...]
    after: Mapping[str, Sequence[pulumi.Resource]]


class HostCommands(pulumi.ComponentResource):
    """One pulumi-command resource each, one after the other, with the pinned host key and nothing of them logged."""

    def __init__(self, name: str, args: HostCommandsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the commands in their order."""
        super().__init__("hypercompose:host:HostCommands", name, None, opts)
        from pulumi_command import remote  # half a second that most programs need not spend

        place, last = args.connection, list[pulumi.Resource]()
        connection = remote.ConnectionArgs(
            host=place.host, port=place.port, user=place.user, host_key=place.host_key, private_key=args.private_key
        )
        for command in args.commands:
            last = [
                remote.Command(
                    f"{place.name}-command-{command.name}",
                    connection=connection,
                    create=command.create,
                    update=command.update,
                    delete=command.delete,
                    triggers=[*([place.vm] if place.vm is not None else []), *command.triggers],
                    logging=remote.Logging.NONE,
                    add_previous_output_in_env=False,
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        depends_on=[*args.after[command.after], *last],
                        deleted_with=place.gone_with,
                        delete_before_replace=True,  # else its delete would undo what its create has just done
                        additional_secret_outputs=["stdout", "stderr"],
                    ),
                )
            ]
        self.register_outputs({})
