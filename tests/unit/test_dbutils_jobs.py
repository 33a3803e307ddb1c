"""`dbutils.jobs.taskValues`, inside and outside of a job."""

import pytest

from lakelocal.context import TaskContext
from lakelocal.kernel.dbutils.jobs import LIMIT, TaskValueError, TaskValues


@pytest.fixture
def values_of(tmp_path):
    """The task values as the kernel of a task in one run has them; `b` and `c` come after `a`."""

    def make(task: str) -> TaskValues:
        upstream = {"a": [], "b": ["a"], "c": ["a", "b"]}[task]
        return TaskValues(
            TaskContext(
                job_id=1,
                job_name="job",
                job_run_id=2,
                task_run_id=3,
                task_key=task,
                attempt_number=0,
                notebook="n.ipynb",
                exit_file=str(tmp_path / "exit"),
                values_folder=str(tmp_path / "values"),
                upstream=upstream,
            )
        )

    return make


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, ["a", {"b": None}], {"c": [1]}, "é"])
def test_a_value_comes_back_as_it_was(values_of, value):
    """JSON values of every kind, through the file of the run."""
    values_of("a").set("k", value)
    values_of("a").set("other", 1)

    assert values_of("b").get("a", "k") == value


def test_the_latest_value_counts(values_of):
    """A repaired task sets its value again."""
    values_of("a").set("k", 1)
    values_of("a").set("k", 2)

    assert values_of("c").get("a", "k", default=9, debugValue=8) == 2


def test_a_missing_value_is_the_default_or_an_error(values_of):
    """Inside a job, debugValue has no effect."""
    values_of("a").set("k", 1)

    assert values_of("b").get("a", "none", default="d", debugValue="x") == "d"
    with pytest.raises(ValueError, match="`a` has set no `none`; it has set `k`"):
        values_of("b").get("a", "none", debugValue="x")


def test_only_upstream_tasks_can_be_read(values_of):
    """A task that may not have run yet would give values by chance."""
    with pytest.raises(ValueError, match="found the task `c`; expected an upstream task of `b`: `a`"):
        values_of("b").get("c", "k", default=1)


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan"), b"x"])
def test_values_that_are_no_json_are_refused(values_of, value):
    """They could not be read back."""
    with pytest.raises(TaskValueError, match="not JSON"):
        values_of("a").set("k", value)


def test_the_limit_is_48_kib_of_json(values_of):
    """Databricks' limit, in bytes."""
    values_of("a").set("k", "x" * (LIMIT - 2))
    with pytest.raises(TaskValueError, match="found 49,153 bytes of JSON; expected at most 49,152"):
        values_of("a").set("k", "x" * (LIMIT - 1))


def test_outside_a_job_set_does_nothing_and_get_gives_the_debug_value():
    """As in Databricks' SDK."""
    values = TaskValues(None)

    assert values.set("k", 1) is None
    assert values.get("a", "k", default=1, debugValue=0) == 0
    with pytest.raises(TypeError, match="Must pass debugValue when calling get outside of a job context"):
        values.get("a", "k", default=1)
