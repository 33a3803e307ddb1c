"""What a job run passes to the kernel of a task: the only interface between the runner and `dbutils`.

The runner writes a context file for each attempt and names it in the environment variable `LOCAL_CONTEXT`;
the kernel reads it. A kernel without it is interactive (JupyterLab, VS Code, nbval).

Environment variables of a task's kernel: `LOCAL_PROJECT`, `LOCAL_STATE`, `LOCAL_TARGET`, `LOCAL_CATALOG`,
`LOCAL_FILES`, `LOCAL_REMOTE`, `LOCAL_CONTEXT`.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lakelocal.errors import RunError

VARIABLE = "LOCAL_CONTEXT"


@dataclass(frozen=True)
class TaskContext:
    """One attempt of one task.

    *parameters* are the resolved values for `dbutils.widgets`; they are strings, as on Databricks.
    *exit_file* is where `dbutils.notebook.exit` writes its value; it does not exist if that was never called.
    *values_folder* holds the task values of the run: `<task key>.json`, an object that maps keys to JSON values.
    *upstream* are the keys of the tasks in the run whose values may be read.
    *working_folder* is where the code runs; if it is empty, the notebook's own folder.
    *rows_file* is where a SQL task writes the rows of its last statement; empty for other tasks.
    *settings* are those of Spark that the task's cluster has.
    *installs* are cells that install the task's environment and its `libraries`, instead of the notebook's own.
    """

    job_id: int
    job_name: str
    job_run_id: int
    task_run_id: int
    task_key: str
    attempt_number: int
    notebook: str
    exit_file: str
    values_folder: str
    parameters: dict[str, str] = field(default_factory=dict)
    upstream: list[str] = field(default_factory=list)
    working_folder: str = ""
    installs: list[str] = field(default_factory=list)
    rows_file: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder in which the notebook's code runs: relative paths start here."""
        return Path(self.working_folder) if self.working_folder else Path(self.notebook).parent

    @property
    def packages(self) -> Path:
        """The folder in which the attempt installs its own Python packages; deleted when the attempt ends."""
        return Path(self.exit_file).with_suffix(".packages")

    @property
    def log(self) -> Path:
        """The log of the attempt."""
        return Path(self.exit_file).with_suffix(".log")

    def save(self, place: Path) -> Path:
        """Write the context to *place*, readable by this user only."""
        place.touch(mode=0o600)
        place.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False), encoding="utf-8")
        return place


def current_context() -> TaskContext | None:
    """The context of this process; None in an interactive kernel.

    Raises:
        RunError: the variable names a file that does not exist or is not a context.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    try:
        return TaskContext(**json.loads(Path(named).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"`{named}` ({VARIABLE}): not the context of a task ({error}). "
            f"Unset {VARIABLE} for interactive work, or start the job again."
        ) from error
