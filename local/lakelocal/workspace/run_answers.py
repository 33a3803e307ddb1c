"""A recorded run in the format of the API: the shape from the history, with the numbers of the workspace.

Source: Databricks SDK 0.162, `Run`, `BaseRun`, `RunTask`, `RunOutput`, `ViewItem`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lakelocal.history.api import run_head, run_shape, shape_of
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.progress import file_name
from lakelocal.workspace.errors import not_there, wrong_value
from lakelocal.workspace.lookups import warehouse_id
from lakelocal.workspace.paging import part_of
from lakelocal.workspace.run_numbers import NumberedRun
from lakelocal.workspace.task_outputs import logs, sql_output
from lakelocal.workspace.workspace import Workspace

_OF_THIS_MACHINE = ("output_notebook", "error_trace", "error", "notebook_output", "remote")
_WITH_LOGS = ("spark_python_task", "python_wheel_task")


@dataclass(frozen=True)
class RunAnswers:
    """The answers about runs of *workspace*."""

    workspace: Workspace

    def listed(self, found: NumberedRun, recorded: RecordedRun, *, expand: bool) -> dict[str, Any]:
        """The run *found* as an entry of `runs/list`; its tasks, at most 100, if it is to *expand* them."""
        if not expand:
            return self._with_place(run_head(recorded, found.records), recorded, found.offset)
        result = self._run(found, recorded)
        result.pop("next_page_token", None)
        return result

    def run(
        self, found: NumberedRun, *, history: bool = False, page_token: str = "", parts: bool = True
    ) -> dict[str, Any]:
        """The run *found*, or the run of one task if *found* has the number of one, as `runs/get` returns it.

        With *history*, it also says how the run ended before each repair. *parts*: at most 100 entries of each array.
        """
        recorded = found.records.run(found.run_id)
        return self._run(found, recorded, history=history, page_token=page_token, parts=parts)

    def _run(
        self,
        found: NumberedRun,
        recorded: RecordedRun,
        *,
        history: bool = False,
        page_token: str = "",
        parts: bool = True,
    ) -> dict[str, Any]:
        shape = _numbered(shape_of(recorded, found.records), found.offset)
        result = self._with_place(shape, recorded, found.offset, numbered=True)
        iterations = [each for each in shape["tasks"] if "iteration" in each]
        result["tasks"] = [each for each in shape["tasks"] if "iteration" not in each]
        if recorded.end_time is None:
            result["tasks"] += _unbegun(recorded, result["tasks"])
        if not history:
            result.pop("repair_history", None)
        if found.attempt_id is not None:
            result = self._of_task(result, iterations, found.offset + found.attempt_id)
        written = _written_tasks(recorded.settings)
        for each in (*result["tasks"], *result.get("iterations", ())):
            _as_answered(each, written)
        if parts:
            arrays = ("iterations",) if result.get("iterations") else ("tasks",)
            result, token = part_of(result, (*arrays, "job_parameters", "repair_history"), page_token)
            if token:
                result |= {"next_page_token": token, "has_more": True}
        return result

    def output(self, found: NumberedRun) -> dict[str, Any]:
        """The output of a task, as `runs/get-output` returns it; for the number of a run, the output of its only task.

        Raises:
            ApiError: the run has several tasks.
        """
        recorded = found.records.run(found.run_id)
        shape = _numbered(shape_of(recorded, found.records), found.offset)
        task = _only_task(shape, found)
        kind = next((name for name in task if name.endswith("_task")), "")
        own = replace(found, attempt_id=task["run_id"] - found.offset)
        result: dict[str, Any] = {"metadata": self._run(own, recorded)}
        for name in ("notebook_output", "run_job_output", "error", "error_trace"):
            if name in task:
                result[name] = task[name]
        if "notebook_task" in task and "notebook_output" not in result:
            result["notebook_output"] = {}
        if kind in _WITH_LOGS and (notebook := task.get("output_notebook")):
            result |= logs(Path(notebook))
        if kind == "sql_task" and (notebook := task.get("output_notebook")):
            name, warehouse = file_name(task["task_key"], task.get("iteration")), warehouse_id(self.workspace)
            result["sql_output"] = sql_output(Path(notebook), found.state, found.run_id, name, warehouse)
        if kind == "run_job_task":
            result.setdefault("run_job_output", {})
        if recorded.end_time is None and "error" not in result and not task.get("end_time"):
            result.pop("notebook_output", None)
        return result

    def views(self, found: NumberedRun) -> list[dict[str, Any]]:
        """The executed notebooks of a run or of one task as pages, as `runs/export` returns them."""
        from lakelocal.pages.notebooks import Notebooks  # nbconvert takes half a second to import
        from lakelocal.pages.rendering import code_style

        shape = run_shape(found.records, found.run_id)
        tasks = [
            each
            for each in shape["tasks"]
            if found.attempt_id in (None, each["run_id"]) and each.get("output_notebook")
        ]
        if not tasks:
            raise wrong_value(f"Run {found.offset + (found.attempt_id or found.run_id)} has no executed notebook yet.")
        notebooks = Notebooks()
        return [
            {
                "content": _page(
                    str(notebooks.html(Path(each["output_notebook"]))), each["task_key"], str(code_style())
                ),
                "name": each["task_key"],
                "type": "NOTEBOOK",
            }
            for each in tasks
        ]

    def url(self, job_id: int, number: int) -> str:
        """The address of the page of a run."""
        return f"{self.workspace.url}/jobs/{job_id}/runs/{number}?o={self.workspace.id}"

    def _with_place(
        self, shape: dict[str, Any], run: RecordedRun, offset: int, *, numbered: bool = False
    ) -> dict[str, Any]:
        result = shape if numbered else _numbered(shape, offset)
        number = result["run_id"]
        result |= {
            "number_in_job": number,
            "original_attempt_run_id": number,
            "creator_user_name": self.workspace.user,
            "run_page_url": self.url(run.job_id, number),
            "format": "MULTI_TASK",
        }
        for name in ("schedule", "git_source"):
            if isinstance(given := run.settings.get(name), Mapping):
                result[name] = given
        if run.parent_run_id is not None:
            result["trigger_info"] = {"run_id": run.parent_run_id + offset}
        for name in ("job_key", "target", *_OF_THIS_MACHINE):
            result.pop(name, None)
        return result

    def _of_task(self, run: dict[str, Any], iterations: list[dict[str, Any]], number: int) -> dict[str, Any]:
        """The run of one task: its own state and times, and the other fields of its job's run."""
        task = next((each for each in (*run["tasks"], *iterations) if each.get("run_id") == number), None)
        if task is None:
            raise not_there(f"Run {number} does not exist.")
        own = {
            name: task[name] for name in ("state", "status", "start_time", "end_time", "run_duration") if name in task
        }
        result = {**run, **own, "run_id": number, "job_run_id": run["run_id"], "tasks": [task]}
        result["run_page_url"] = self.url(run["job_id"], number)
        if "iteration" not in task and "for_each_task" in task:
            result["iterations"] = [
                each for each in iterations if each["iteration"]["for_each_task_key"] == task["task_key"]
            ]
        return result


def _numbered(shape: dict[str, Any], offset: int) -> dict[str, Any]:
    """*shape*, a run with the ids of its state, with the numbers of the workspace instead."""
    for name in ("run_id", "parent_run_id"):
        if name in shape:
            shape[name] += offset
    for task in shape.get("tasks", ()):
        task["run_id"] += offset
        if "run_job_output" in task:
            task["run_job_output"]["run_id"] += offset
    for phase in shape.get("repair_history", ()):
        phase["task_run_ids"] = [each + offset for each in phase["task_run_ids"]]
    return shape


def _as_answered(task: dict[str, Any], written: Mapping[str, Mapping[str, Any]]) -> None:
    """Remove from *task* what belongs in other answers or on this machine; name its files as in *written*."""
    for name in _OF_THIS_MACHINE:
        task.pop(name, None)
    for kind, block in written.get(task["task_key"], {}).items():
        if kind in task and isinstance(block, Mapping):
            files = {name: block[name] for name in ("notebook_path",) if name in block}
            task[kind] = {**block, **task[kind], **files}


def _written_tasks(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tasks of a job as in its settings, and the tasks inside its for-each tasks, by their keys."""
    found = {}
    for task in settings.get("tasks") or []:
        found[task["task_key"]] = task
        if nested := (task.get("for_each_task") or {}).get("task"):
            found[nested["task_key"]] = nested
    return found


def _unbegun(run: RecordedRun, begun: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tasks of *run* that have not begun: they have no run of their own, and so no number, before they do."""
    known = {each["task_key"] for each in begun}
    chosen = run.only_tasks
    waits = "QUEUED" if run.life_cycle_state == "QUEUED" else "PENDING"
    found = []
    for task in run.settings.get("tasks") or []:
        key, needed = task["task_key"], task.get("depends_on") or []
        if key in known or (chosen is not None and key not in chosen):
            continue
        is_blocked = any(chosen is None or each["task_key"] in chosen for each in needed)
        state = "BLOCKED" if is_blocked else waits
        found.append(
            {
                "task_key": key,
                "attempt_number": 0,
                "state": {"life_cycle_state": state, "state_message": ""},
                "status": {"state": state},
                "start_time": 0,
                "end_time": 0,
                "depends_on": needed,
                "run_if": task.get("run_if") or "ALL_SUCCESS",
                **{name: block for name, block in task.items() if name.endswith("_task") and block is not None},
            }
        )
    return found


def _only_task(shape: Mapping[str, Any], found: NumberedRun) -> dict[str, Any]:
    if found.attempt_id is not None:
        number = found.offset + found.attempt_id
        return next(dict(each) for each in shape["tasks"] if each["run_id"] == number)
    keys = {each["task_key"] for each in shape["tasks"] if "iteration" not in each}
    if len(keys) != 1:
        text = "Retrieving the output of runs with multiple tasks is not supported. Name the run of one task instead."
        raise wrong_value(text if keys else f"Run {found.number} has no task that has begun.")
    return dict([each for each in shape["tasks"] if "iteration" not in each][-1])


def _page(content: str, title: str, style: str) -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>{content}'
