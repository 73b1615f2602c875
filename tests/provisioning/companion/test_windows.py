"""Exactly the lines that Windows gets."""

from __future__ import annotations

import base64

import pytest

from provisioning.companion.windows import RestartFailed, command, restart, restart_line
from provisioning.host import Address, Result

ADDRESS = Address(host="10.0.0.21", user="Administrator", host_key="ssh-ed25519 AAAA")
LINE = (
    "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; "
    "Restart-Service -Name 'CasinoBilling' -Force; (Get-Service -Name 'CasinoBilling').Status"
)


class Windows:
    def __init__(self, *answers: Result) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def run(self, address: Address, command: str, *, stdin: bytes = b"", timeout_s: float = 60.0) -> Result:
        assert address == ADDRESS
        self.asked.append(command)
        return self.answers.pop(0)


def test_a_service_is_restarted_by_this_line_and_no_other() -> None:
    assert restart_line("CasinoBilling") == LINE
    windows = Windows(Result(0, "Running\r\n", ""))
    restart(windows, ADDRESS, ["CasinoBilling"])
    head, _, encoded = windows.asked[0].rpartition(" ")
    assert head == "powershell -NoProfile -NonInteractive -EncodedCommand"
    assert base64.b64decode(encoded).decode("utf-16-le") == LINE
    assert command(LINE) == windows.asked[0]


@pytest.mark.parametrize("name", ["", "a'b", "a;b", "$(reboot)", "a\nb", "-x", "a`b", 'a"b', "x" * 256, "dienst-ü"])
def test_a_name_that_is_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a Windows service"):
        restart_line(name)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Result(1, "", "Restart-Service : Cannot find any service\r\n  with service name 'CasinoBilling'."),
            "Cannot find",
        ),
        (
            Result(
                1,
                "",
                '#< CLIXML\r\n<Objs Version="1.1.0.1">'
                '<S S="Error">Restart-Service : Cannot find &apos;x&apos;._x000D__x000A_</S>'
                '<S S="Error">At line:1_x000D__x000A_</S></Objs>',
            ),
            r"Restart-Service : Cannot find 'x'\. At line:1 \(exit code 1\)",
        ),
        (Result(0, "StopPending\r\n", ""), "StopPending"),
        (Result(255, "", ""), "no output"),
    ],
)
def test_a_service_that_does_not_run_again_is_named(answer: Result, words: str) -> None:
    windows = Windows(answer, Result(0, "Running", ""))
    with pytest.raises(
        RestartFailed, match=rf"10\.0\.0\.21: service CasinoBilling: .*{words}.*the next run restarts it"
    ):
        restart(windows, ADDRESS, ["CasinoBilling", "Other"])
    assert len(windows.asked) == 1
