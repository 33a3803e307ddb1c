"""Asking work to end: once, for all its parts, and after a time."""

import threading

from lakelocal.jobs.stop import Stop


def test_the_first_reason_stays() -> None:
    """A run that timed out and is then cancelled has timed out."""
    stop = Stop()

    stop.request("TIMEDOUT")
    stop.request("CANCELED")

    assert stop.reason == "TIMEDOUT"


def test_callbacks_are_called_once_also_when_late() -> None:
    """Work that begins while the end is being requested must be told."""
    stop, heard = Stop(), []

    with stop.calling(lambda: heard.append("early")):
        stop.request("CANCELED")
    with stop.calling(lambda: heard.append("late")):
        stop.request("CANCELED")

    assert heard == ["early", "late"]


def test_a_part_is_cancelled_with_the_whole_but_not_the_other_way() -> None:
    """A task's timeout concerns only the task."""
    stop = Stop()
    with stop.part() as first, stop.part() as second:
        first.request("TIMEDOUT")
        assert (stop.reason, second.reason) == (None, None)

        stop.request("TIMEDOUT")

        assert (first.reason, second.reason) == ("TIMEDOUT", "CANCELED")


def test_a_part_times_out() -> None:
    """After its seconds, without anyone asking."""
    ended = threading.Event()
    with Stop().part(0.05) as part, part.calling(ended.set):
        assert ended.wait(10)

    assert part.reason == "TIMEDOUT"


def test_a_part_that_is_over_does_not_time_out() -> None:
    """Its timer ends with it."""
    with Stop().part(3600) as part:
        pass

    assert part.reason is None
    timers = [each for each in threading.enumerate() if isinstance(each, threading.Timer) and each.interval == 3600]
    assert all(each.finished.is_set() for each in timers)


def test_a_part_of_no_seconds_never_times_out() -> None:
    """0 means no limit: no timer is started."""
    with Stop().part(0) as part:
        timers = [each for each in threading.enumerate() if isinstance(each, threading.Timer) and each.interval == 0]

    assert (timers, part.reason) == ([], None)
