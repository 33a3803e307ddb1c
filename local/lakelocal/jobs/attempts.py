"""One attempt of a task, as seen by the function that runs its task type, and what it may ask of its surroundings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from lakelocal.compute import Compute
from lakelocal.errors import RunError
from lakelocal.history.records import Records
from lakelocal.jobs.launch import AttemptFiles
from lakelocal.jobs.listener import Announcer, Listener
from lakelocal.jobs.progress import Progress
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.views import View
from lakelocal.kernel.catalog import environment_of
from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.lakeflow.references import NO_WORKSPACE, Scope, WorkspaceAddress, WrongReference, resolve_all
from lakelocal.pool.pool import Pool
from lakelocal.project import State


@dataclass(frozen=True)
class Engine:
    """What all runs of one command share. *listeners* are notified of runs and attempts.

    *compute* says where Spark runs, *needs_spark* whether any notebook of the job refers to Spark. *skip_unsupported*:
    tasks that do not run here are skipped. *workspace* is the one that serves the runs, if one does.
    """

    bundle: Bundle
    compute: Compute
    records: Records
    view: View
    pool: Pool
    needs_spark: bool = False
    listeners: Sequence[Listener] = field(default=())
    skip_unsupported: bool = False
    workspace: WorkspaceAddress = NO_WORKSPACE

    @property
    def state(self) -> State:
        return self.compute.state

    @cached_property
    def announcer(self) -> Announcer:
        return Announcer(self.listeners, self.records, self.view.note)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that every kernel of these runs gets."""
        return {**environment_of(self.state, self.compute.remote), "LOCAL_TARGET": self.bundle.target}


class ParentRun(Protocol):
    """The run of a job that a task belongs to."""

    engine: Engine
    job: Job
    scope: Scope
    path: tuple[str, ...]
    progress: Progress

    @property
    def run_id(self) -> int: ...

    @property
    def parameters(self) -> Mapping[str, str]: ...

    @property
    def repair_count(self) -> int: ...

    def child(self, job: Job, parameters: Mapping[str, str], path: tuple[str, ...]) -> "ChildRun":
        """Create the run of *job* that the task at *path* starts."""


class Executable(Protocol):
    """A run that a task starts: of another job, or of the nested task for one input."""

    def execute(self, stop: Stop) -> str:
        """Execute the run and return its result."""


class ChildRun(Executable, Protocol):
    """A run of another job."""

    @property
    def run_id(self) -> int: ...


class Owner(Protocol):
    """The task that an attempt belongs to. *place* is the task as it appears in the graph of the job."""

    run: ParentRun
    engine: Engine
    place: Task
    path: tuple[str, ...]

    def hear(self, event: Mapping[str, Any]) -> None:
        """Show an event from the attempt's process."""

    def show_iterations(self, inputs: Sequence[Any], concurrency: int) -> None:
        """Announce that an iteration follows for each of *inputs*, *concurrency* of them at a time."""

    def iteration(self, index: int, value: Any) -> "Iteration":
        """The nested task for the input *value*, which is element *index* of the inputs."""


class Iteration(Executable, Protocol):
    """The nested task of a for-each task for one input; *error* says why it failed."""

    error: str


@dataclass(frozen=True)
class TaskAttempt:
    """One attempt of a task. *number* counts from 0 and continues through repairs; its files are named after *name*."""

    owner: Owner
    task: Task
    run_id: int
    number: int
    name: str
    scope: Scope

    @property
    def run(self) -> ParentRun:
        return self.owner.run

    @property
    def places(self) -> AttemptFiles:
        """The files of the attempt."""
        return AttemptFiles.of(self.owner.engine.state, self.run.run_id, self.name, self.number)

    def resolved(self, value: Any, field: str) -> Any:
        """*value* of the task's *field*, with its references replaced.

        Raises:
            RunError: a reference has no value.
        """
        try:
            return resolve_all(value, self.scope)
        except WrongReference as error:
            raise RunError(f"{field}: {error}") from error

    def record(self, **columns: Any) -> None:
        """Record what is known of the attempt while it is running."""
        self.owner.engine.records.update_attempt(self.run_id, **columns)
