"""The language host's service: started by the engine, prints its port, runs programs and plugins when asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from setup.standins.language_python import interpreter as pythons
from setup.standins.language_python.children import Children, pieces
from setup.standins.language_python.program import SAID_WHY

LARGEST_MESSAGE = 400 << 20
"""The engine's own limit; state with many files is large."""
PROGRAM = Path(__file__).with_name("program.py")


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language."""

    def __init__(self, engine: str) -> None:
        """`engine` is the address to report to; a newer engine says it again in its handshake."""
        self._engine = engine
        self.children = Children()

    def Handshake(self, request: Any, context: Any) -> Any:
        """First call of the engine."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version shown by `pulumi about`: that of the SDK whose protocol is spoken."""
        versions = dict(pythons.distributions(sys.executable))
        return plugin_pb2.PluginInfo(version=versions.get("pulumi", "0.0.0"))

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        """The older form of the next call."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """None in advance: a plugin that is not here cannot be downloaded either, and each try costs seconds."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """Installed packages, for `pulumi about`."""
        python = pythons.interpreter(request.info.root_directory, _options(request.info))
        found = [language_pb2.DependencyInfo(name=n, version=v) for n, v in sorted(pythons.distributions(python))]
        return language_pb2.GetProgramDependenciesResponse(dependencies=found)

    def About(self, request: Any, context: Any) -> Any:
        """Which Python runs programs."""
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """`pulumi install`: set-up has done it, or says how."""
        try:
            python = pythons.interpreter(request.info.root_directory or request.directory, _options(request.info))
            said = f"{python} is there; `make env` keeps it as uv.lock says\n"
        except FileNotFoundError as problem:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(problem))
        yield language_pb2.InstallDependenciesResponse(stdout=said.encode())

    def Run(self, request: Any, context: Any) -> Any:
        """Run a program to its end in a child; what it prints goes through our own stdout and stderr."""
        try:
            python = pythons.interpreter(request.info.root_directory, _options(request.info))
        except FileNotFoundError as problem:
            return language_pb2.RunResponse(error=str(problem))
        env = pythons.activated(os.environ, python)
        child = self.children.start([python, "-u", str(PROGRAM)], stdin=subprocess.PIPE, env=env)
        try:
            # By stdin, not the environment: configuration holds secrets, and may be larger than a variable can be.
            with child.stdin or open(os.devnull, "wb") as pipe:  # noqa: PTH123
                pipe.write(json.dumps(described(request, self._engine)).encode())
        except BrokenPipeError:
            pass  # it died early; its exit code says more
        code = self.children.wait(child)
        if code == SAID_WHY:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}" if code else "")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack or a provider written in Python, and pass on what it says."""
        python = pythons.interpreter(request.info.root_directory, _options(request.info))
        env = pythons.activated({**os.environ, **dict(entry.split("=", 1) for entry in request.env)}, python)
        command = [python, "-u", request.info.program_directory, *request.args]
        child = self.children.start(
            command, cwd=request.pwd or None, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        context.add_callback(child.terminate)
        for name, piece in pieces(child):
            is_error = name == "stderr"
            yield (
                language_pb2.RunPluginResponse(stderr=piece)
                if is_error
                else language_pb2.RunPluginResponse(stdout=piece)
            )
        yield language_pb2.RunPluginResponse(exitcode=self.children.wait(child))

    def Cancel(self, request: Any, context: Any) -> Any:
        """The person pressed Ctrl-C: end what runs."""
        self.children.stop()
        return empty_pb2.Empty()


def described(request: Any, engine: str) -> dict[str, Any]:
    """A Run request as the child reads it."""
    entry = request.info.entry_point or "."
    folder = Path(request.info.program_directory)
    return {
        "program": str(folder if entry == "." else folder / entry),
        "pwd": request.pwd or str(folder),
        "args": list(request.args),
        "config": dict(request.config),
        "secret_keys": list(request.configSecretKeys),
        "settings": {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "monitor": request.monitor_address,
            "engine": engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "root_directory": request.info.root_directory,
        },
    }


def _options(info: Any) -> dict[str, object]:
    """`runtime.options` of Pulumi.yaml."""
    return dict(json_format.MessageToDict(info.options))


def serve() -> None:
    """Serve until the engine ends us. It is told the port on stdout."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    host = Host(addresses[-1] if addresses else "")
    limits = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=32), options=limits)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")

    def leave(*_: object) -> None:
        host.children.stop()
        os._exit(0)

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, leave)
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
