"""`--only`: which tasks a word selects."""

import pytest

from local.bundle import Dependency, Job, Task
from local.errors import UsageError
from local.jobs.selection import select_tasks


def make(key: str, *after: str) -> Task:
    return Task(key, "notebook_task", {}, depends_on=tuple(Dependency(each) for each in after))


# a -> b -> d, a -> c -> d, and e alone
JOB = Job("j", 1, "J", {}, (make("a"), make("b", "a"), make("c", "a"), make("d", "b", "c"), make("e")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b", {"b"}),
        ("b, e", {"b", "e"}),
        ("+b", {"a", "b"}),
        ("b+", {"b", "d"}),
        ("+d", {"a", "b", "c", "d"}),
        ("a+,e", {"a", "b", "c", "d", "e"}),
        ("+b+", {"a", "b", "d"}),
    ],
)
def test_select_tasks(text: str, expected: set[str]) -> None:
    """`+t` adds everything upstream, `t+` everything downstream."""
    assert select_tasks(JOB, text) == expected


@pytest.mark.parametrize("text", ["z", "a,zz+", ",", " "])
def test_unknown_tasks_are_refused(text: str) -> None:
    """The message lists the tasks of the job."""
    with pytest.raises(UsageError, match="`a`, `b`, `c`, `d`, `e`"):
        select_tasks(JOB, text)
