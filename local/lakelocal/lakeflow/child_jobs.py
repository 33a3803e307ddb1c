"""Jobs that start other jobs with run-job tasks: which ones a job starts, and when that is refused.

Databricks lets jobs start each other at most three levels deep, and never in a cycle. Run-job tasks inside for-each
tasks count like all others. Source: documentation, "Run Job task for jobs".
"""

from collections.abc import Iterator

from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.model import Bundle, Job

LEVELS = 3


def started_by(bundle: Bundle, job: Job) -> list[Job]:
    """*job*, and every job that it starts at any depth, each once; the nearer ones come first."""
    jobs = {job.key: job}
    todo = [job]
    for each in todo:  # grows during the iteration
        fresh = [bundle.jobs[key] for key in _children(each) if key not in jobs]
        jobs.update((child.key, child) for child in fresh)
        todo += fresh
    return todo


def wrong_start(bundle: Bundle, job: Job, child: Job, where: Where) -> Finding | None:
    """What is wrong with the task at *where* in *job*, which starts *child*: a cycle, or too many levels; or None."""
    if circle := _way(bundle, child, job.key):
        found = f"jobs that start each other: {' -> '.join((job.key, *circle))}"
        return Finding(where, "job-cycle", found, "no cycle", "Remove one of the tasks.")
    deepest = max(_chains(bundle, child, (job.key,)), key=len)
    if len(deepest) > LEVELS:
        found = f"more than {LEVELS} levels of jobs: {' -> '.join(deepest)}"
        return Finding(where, "job-levels", found, f"at most {LEVELS}", "Merge two of the jobs.")
    return None


def _way(bundle: Bundle, job: Job, goal: str) -> tuple[str, ...]:
    """The keys of the jobs on the shortest path from *job* down to *goal*; empty if it never starts that job."""
    ways: list[tuple[str, ...]] = [(job.key,)]
    known = {job.key}
    for way in ways:  # grows during the iteration
        if way[-1] == goal:
            return way
        fresh = [key for key in _children(bundle.jobs[way[-1]]) if key not in known]
        known.update(fresh)
        ways += [(*way, key) for key in fresh]
    return ()


def _chains(bundle: Bundle, job: Job, parents: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The keys of the jobs on each path down from *job*, to one level more than is allowed; cycles are left out."""
    path = (*parents, job.key)
    children = [] if len(path) > LEVELS else [key for key in _children(job) if key not in path]
    if not children:
        yield path
    for child in children:
        yield from _chains(bundle, bundle.jobs[child], path)


def _children(job: Job) -> list[str]:
    """The keys of the jobs that the tasks of *job* start, each once."""
    return list(dict.fromkeys(task.child for task in job.every_task() if task.child is not None))
