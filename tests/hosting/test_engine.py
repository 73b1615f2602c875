"""The engine's child: heard to the end, never waited for without end, and nothing of it left running."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hosting.engine import NOT_FOR_INSTANCES, Engine, EngineFailed
from hosting.order import FOLDER_VARIABLE
from tests.hosting.orders import order

ORDER = order(settings={"A": "Canary $(reboot) ünïcödé"})


class Children:
    """Programs in place of the child, and an engine that runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def engine(self, program: str, **changes: Any) -> Engine:
        file = self.folder / "child.py"
        file.write_text(f"import json, os, signal, subprocess, sys, time\n{program}\n")
        given: dict[str, Any] = {"deadline_s": 20.0, "cancel_s": 5.0, "program": (sys.executable, str(file)), **changes}
        return Engine(folder=self.folder / "instances", **given)

    def run(self, program: str, tell: Callable[[str], None] = lambda line: None, **changes: Any) -> dict[str, Any]:
        return self.engine(program, **changes).run("up", ORDER, tell)

    def fails(self, program: str, **changes: Any) -> str:
        with pytest.raises(EngineFailed) as raised:
            self.run(program, **changes)
        return str(raised.value)

    def pid(self, name: str) -> int:
        return int((self.folder / name).read_text())


@pytest.fixture
def children(tmp_path: Path) -> Children:
    return Children(tmp_path)


def is_running(pid: int) -> bool:
    """Also false for one that has ended and that nobody has asked for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(pid: int, within_s: float = 5) -> bool:
    """A process that was killed takes a moment to die."""
    limit = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < limit:
        time.sleep(0.01)
    return not is_running(pid)


def test_the_child_gets_operation_order_and_folder_and_gives_a_result(children: Children) -> None:
    program = "print(json.dumps({'got': json.load(sys.stdin), 'argv': sys.argv[1:], 'folder': os.environ['%s']}))"
    found = children.run(program % FOLDER_VARIABLE)
    assert found["got"] == json.loads(ORDER.to_json())
    assert (found["argv"], found["folder"]) == (["up"], str(children.folder / "instances"))


def test_the_order_is_in_no_list_of_processes(children: Children) -> None:
    program = "sys.stdin.read(); print(json.dumps({'line': open('/proc/self/cmdline').read(), 'env': str(os.environ)}))"
    found = children.run(program)
    assert "Canary" not in found["line"] and "Canary" not in found["env"]


def test_variables_of_the_environments_stack_do_not_reach_the_child(children: Children) -> None:
    given = {**dict.fromkeys(NOT_FOR_INSTANCES, "x"), "PULUMI_BACKEND_URL": "file:///s", "PATH": os.environ["PATH"]}
    found = children.run("print(json.dumps(dict(os.environ)))", environ=given)
    assert not set(NOT_FOR_INSTANCES) & set(found)
    assert found["PULUMI_BACKEND_URL"] == "file:///s"


def test_progress_is_passed_on_line_by_line_while_it_runs(children: Children) -> None:
    told, heard = list[str](), threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        (children.folder / "go").touch()
        heard.set()

    program = f"""
print("first", file=sys.stderr, flush=True)
until = time.monotonic() + 15
while not os.path.exists({str(children.folder / "go")!r}) and time.monotonic() < until: time.sleep(0.01)
print("  second ünï\\n\\n", file=sys.stderr, flush=True)
print(json.dumps({{"waited": time.monotonic() < until}}))
"""
    assert children.run(program, tell) == {"waited": True}
    assert heard.is_set() and told == ["first", "  second ünï"]


def test_what_is_no_text_is_passed_on_all_the_same(children: Children) -> None:
    told = list[str]()
    children.run("sys.stderr.buffer.write(b'a\\xff\\n'); print('{}')", told.append)
    assert told == ["a\N{REPLACEMENT CHARACTER}"]


def test_the_result_is_the_last_line_of_what_it_prints(children: Children) -> None:
    assert children.run("print('by the way'); print('{\"outputs\": {}}')") == {"outputs": {}}


def test_much_progress_that_nobody_takes_holds_nobody_up(children: Children) -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    assert children.run("for n in range(20000): print('x' * 40, file=sys.stderr)\nprint('{}')", gone) == {}


def test_a_reason_is_told_with_operation_and_instance(children: Children) -> None:
    said = children.fails("""print(json.dumps({"why": "no room for $(reboot)"})); sys.exit(1)""")
    assert said == "up of shop: no room for $(reboot)"


@pytest.mark.parametrize("result", ["", "print('[1]')", "print('no json')", "print('{\"half\":')"])
def test_without_a_result_its_last_words_are_the_reason(children: Children, result: str) -> None:
    said = children.fails(f"for n in range(9): print('line', n, file=sys.stderr)\n{result}\nsys.exit(3)")
    assert said == "up of shop: line 4 | line 5 | line 6 | line 7 | line 8"


def test_one_that_ends_without_a_word_is_told_by_its_exit_code(children: Children) -> None:
    assert children.fails("sys.exit(3)") == "up of shop: it ended with 3"
    assert children.fails("os.kill(os.getpid(), signal.SIGKILL)") == "up of shop: it ended with -9"


def test_one_that_reads_no_order_is_heard_all_the_same(children: Children) -> None:
    much = order(settings={"A": "x" * 1_000_000})
    engine = children.engine('sys.stdin.close(); print(\'{"why": "no order for me"}\')')
    with pytest.raises(EngineFailed, match="up of shop: no order for me"):
        engine.run("up", much)


def test_one_that_takes_too_long_is_cancelled_in_order_and_says_why(children: Children) -> None:
    program = """
def cancelled(*_):
    print(json.dumps({"why": "update cancelled"}), flush=True)
    sys.exit(1)
signal.signal(signal.SIGINT, cancelled)
time.sleep(60)
"""
    began = time.monotonic()
    said = children.fails(program, deadline_s=1.0)
    assert said == "up of shop: not done within 1 s, and cancelled: update cancelled"
    assert time.monotonic() - began < 4


def test_a_result_that_comes_after_the_deadline_is_no_success(children: Children) -> None:
    program = "signal.signal(signal.SIGINT, lambda *_: (print('{}', flush=True), sys.exit(0)))\ntime.sleep(60)"
    assert "not done within 1 s" in children.fails(program, deadline_s=1.0)


STUBBORN = """
signal.signal(signal.SIGINT, lambda *_: None)
grandchild = subprocess.Popen(["sh", "-c", "trap '' INT; echo; exec sleep 60"], stdout=subprocess.PIPE)
grandchild.stdout.read(1)
open({folder!r} + "/child", "w").write(str(os.getpid()))
open({folder!r} + "/grandchild", "w").write(str(grandchild.pid))
print("deploying", file=sys.stderr, flush=True)
"""
WAITING = "until = time.monotonic() + 60\nwhile time.monotonic() < until: time.sleep(0.05)"


def test_one_that_will_not_end_is_killed_with_all_that_it_has_started(children: Children) -> None:
    program = STUBBORN.format(folder=str(children.folder)) + WAITING
    said = children.fails(program, deadline_s=3.0, cancel_s=0.5)
    assert said == "up of shop: not done within 3 s, and cancelled: deploying"
    assert ends(children.pid("child")) and ends(children.pid("grandchild"))


def test_what_a_child_that_was_killed_leaves_running_is_ended(children: Children) -> None:
    program = STUBBORN.format(folder=str(children.folder)) + "os.kill(os.getpid(), signal.SIGKILL)"
    assert children.fails(program, cancel_s=0.5) == "up of shop: deploying"
    assert ends(children.pid("grandchild"))


def test_what_it_leaves_running_may_end_in_order(children: Children) -> None:
    program = f"""
subprocess.Popen([sys.executable, "-c", '''
import pathlib, signal, sys, time
def cancelled(*_):
    pathlib.Path({str(children.folder / "cancelled")!r}).touch()
    sys.exit()
signal.signal(signal.SIGINT, cancelled)
print(flush=True)
time.sleep(60)
'''], stdout=subprocess.PIPE).stdout.read(1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    children.fails(program)
    assert (children.folder / "cancelled").exists()


def test_a_ctrl_c_here_is_passed_on_and_waited_for(children: Children) -> None:
    program = f"""
def cancelled(*_):
    time.sleep(0.3)
    open({str(children.folder / "cancelled")!r}, "w").close()
    sys.exit(1)
signal.signal(signal.SIGINT, cancelled)
print("ready", file=sys.stderr, flush=True)
time.sleep(60)
"""

    def interrupt(line: str) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        children.run(program, interrupt)
    assert (children.folder / "cancelled").exists()


def test_a_child_that_prints_and_lingers_is_not_cut_off(children: Children) -> None:
    done = children.folder / "done"
    program = f"print('{{}}', flush=True); sys.stdout.close(); time.sleep(1); open({str(done)!r}, 'w').close()"
    assert children.run(program) == {}
    assert done.exists()
