"""What a run did, as far as it can be compared: how each task ended, after how many attempts, with which output."""

from dataclasses import dataclass

from lakelocal.history.recorded import Run


@dataclass(frozen=True)
class TaskPicture:
    """A task, or one iteration of a for-each task: the *result* and notebook *output* of its last attempt.

    *attempts* counts all attempts, including those of repairs.
    """

    result: str
    attempts: int
    output: str | None = None

    def __str__(self) -> str:
        return self.result if self.attempts == 1 else f"{self.result}, {self.attempts} attempts"


def task_pictures(run: Run, above: str = "") -> dict[str, TaskPicture]:
    """The tasks of *run* by path: `run_main_pipeline > bronze` is a task of a run that another run started."""
    pictures = {}
    for work in run.works:
        path = f"{above}{work.label}"
        output = work.last.shape.get("notebook_output", {}).get("result")
        pictures[path] = TaskPicture(work.last.result, len(work.attempts), output)
        if work.last.child:
            pictures |= task_pictures(work.last.child, f"{path} > ")
    return pictures
