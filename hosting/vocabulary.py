"""The words that rows are made of."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How an instance stands, as its worker saw it last."""

    REQUESTED = "requested"
    CREATING = "creating"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STARTING = "starting"
    FAILED = "failed"
    DELETING = "deleting"


class Run(StrEnum):
    """What is wanted of an instance that is there."""

    STARTED = "started"
    STOPPED = "stopped"


class Todo(StrEnum):
    """What a worker has to do, so that an instance is as it is wanted."""

    CREATE = "create"
    START = "start"
    STOP = "stop"
    DELETE = "delete"


class Action(StrEnum):
    """What a deadline brings, in this order."""

    WARN = "warn"
    STOP = "stop"
    FINAL_BACKUP = "final_backup"
    DESTROY = "destroy"
