"""What is said while a command waits: nothing of a short wait, then a line that moves, or lines now and then."""

import io

import pytest

from lakelocal.waiting import AGAIN_SECONDS, LONG_SECONDS, Waiting
from tests.clocks import Clock


def wait(clock: Clock, *, is_terminal: bool) -> tuple[Waiting, io.StringIO]:
    out = io.StringIO()
    return Waiting("diff: comparing", out, is_terminal=is_terminal, width=40, clock=clock), out


def test_a_short_wait_says_nothing(clock: Clock) -> None:
    """Most commands are done at once."""
    for is_terminal in (True, False):
        waiting, out = wait(clock, is_terminal=is_terminal)
        with waiting:
            clock.now += LONG_SECONDS - 0.1
            waiting.tick()
        assert out.getvalue() == ""


def test_a_terminal_has_one_line_that_is_gone_at_the_end(clock: Clock) -> None:
    """It fits the window: a wrapped line could not be taken back."""
    waiting, out = wait(clock, is_terminal=True)
    with waiting:
        clock.now += 3
        waiting.tell("silver.orders,\n3 of 40")
        waiting.tick()
        assert out.getvalue().endswith("\r\x1b[Kdiff: comparing ... 3 s: silver.orders,")
        clock.now += 4
        waiting.tell("done")
        waiting.tick()
        assert out.getvalue().endswith("\r\x1b[Kdiff: comparing ... 7 s: done")
    assert out.getvalue().endswith("\r\x1b[K")
    waiting.tick()
    assert out.getvalue().endswith("\r\x1b[K")


def test_a_log_has_a_line_now_and_then(clock: Clock) -> None:
    """With what is done at that time."""
    waiting, out = wait(clock, is_terminal=False)
    with waiting:
        for seconds, detail in ((3, "a"), (1, "b"), (AGAIN_SECONDS, "c")):
            clock.now += seconds
            waiting.tell(detail)
            waiting.tick()
    assert out.getvalue().splitlines() == ["diff: comparing ... 3 s: a", "diff: comparing ... 19 s: c"]


def test_a_long_detail_is_shortened(clock: Clock) -> None:
    waiting, out = wait(clock, is_terminal=False)
    with waiting:
        clock.now += 3
        waiting.tell("Installing: " + ", ".join(["package"] * 200))
        waiting.tick()
    (line,) = out.getvalue().splitlines()
    assert line.startswith("diff: comparing ... 3 s: Installing: package, package") and line.endswith(" ...")
    assert len(line) < 130


def test_what_is_printed_meanwhile_has_a_line_of_its_own(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """The line that moves makes room, and comes back below."""
    waiting, out = wait(clock, is_terminal=True)
    with waiting:
        clock.now += 3
        waiting.tick()
        waiting.print("round 1: equal\n")
        assert (out.getvalue().endswith("\r\x1b[K"), capsys.readouterr().out) == (True, "round 1: equal\n")
