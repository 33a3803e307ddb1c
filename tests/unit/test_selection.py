"""Which tasks a partial run and a repair run."""

import pytest
from conformance import cases, repairs, selections

from lakelocal.bundle import Dependency, Job, Task
from lakelocal.errors import UsageError
from lakelocal.jobs.selection import select_tasks, tasks_to_repair


def make(key: str, *after: str) -> Task:
    return Task(key, "notebook_task", {}, depends_on=tuple(Dependency(each) for each in after))


# a -> b -> d, a -> c -> d, and e alone
JOB = Job("j", 1, "J", {}, (make("a"), make("b", "a"), make("c", "a"), make("d", "b", "c"), make("e")))


@pytest.mark.parametrize(("text", "expected"), cases(selections.RULES))
def test_select_tasks(text: str, expected: str) -> None:
    """`+t` adds everything upstream, `t+` everything downstream."""
    assert select_tasks(JOB, text) == set(expected.split())


@pytest.mark.parametrize(("letters", "chosen", "dependents", "expected"), cases(repairs.RULES))
def test_tasks_to_repair(letters: str, chosen: str, dependents: bool, expected: str) -> None:
    """What failed and what depends on it, or what a user names."""
    words = {"S": "SUCCESS", "F": "FAILED", "U": "UPSTREAM_FAILED", "X": "EXCLUDED", "C": "CANCELED", "T": "TIMEDOUT"}
    tasks = (make("a"), make("b", "a"), make("c", "b"), make("d", "a"), make("handler", "d"))
    results = {task.key: words[letter] for task, letter in zip(tasks, letters, strict=True) if letter != "-"}

    found = tasks_to_repair(Job("j", 1, "J", {}, tasks), results, chosen=chosen, dependents=dependents)

    assert found == set(expected.split())


def test_a_repair_of_an_unknown_task_is_refused() -> None:
    """The message lists the tasks of the job."""
    with pytest.raises(UsageError, match="--tasks: job `j`: found no task `z`; its tasks are `a`, `b`"):
        tasks_to_repair(JOB, {}, chosen="z")


@pytest.mark.parametrize("text", ["z", "a,zz+", ",", " "])
def test_unknown_tasks_are_refused(text: str) -> None:
    """The message lists the tasks of the job."""
    with pytest.raises(UsageError, match="`a`, `b`, `c`, `d`, `e`"):
        select_tasks(JOB, text)
