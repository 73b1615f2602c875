"""What a command did, and how the official plugin words that it failed."""

from __future__ import annotations

import json
from dataclasses import dataclass


class CommandFailed(Exception):
    """A command, a connection or a copy failed; the text is what the person reads."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Output of a command, and both streams as they came."""

    stdout: str
    stderr: str
    both: str

    def outputs(self) -> dict[str, str]:
        """The output properties: one closing newline is dropped."""
        return {"stdout": self.stdout.removesuffix("\n"), "stderr": self.stderr.removesuffix("\n")}

    def to_log(self, logging: str) -> str:
        """What the `logging` input lets through."""
        return {"none": "", "stdout": self.stdout, "stderr": self.stderr}.get(logging, self.both)


def failed(how: str, command: str, outcome: Outcome) -> CommandFailed:
    """The official text holds the whole command line and its output: what is secret goes by stdin, nowhere else."""
    return CommandFailed(f"{how}: running {json.dumps(command, ensure_ascii=False)}:\n{outcome.both}")


def previous_output(state: dict[str, str], inputs: dict[str, object]) -> dict[str, str]:
    """Variables that hold what the last run said, unless `addPreviousOutputInEnv` is off."""
    if inputs.get("addPreviousOutputInEnv") is False:
        return {}
    names = {"PULUMI_COMMAND_STDOUT": "stdout", "PULUMI_COMMAND_STDERR": "stderr"}
    return {variable: state[key] for variable, key in names.items() if state.get(key)}
