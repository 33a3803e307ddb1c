"""`dbutils.jobs.taskValues`: values that a task sets for the tasks after it.

Source: Databricks documentation, "Use task values to pass information between tasks".
"""

import json
import os
import re
import uuid
from functools import cached_property
from pathlib import Path
from typing import Any

from lakelocal.context import TaskContext
from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp

LIMIT = 48 * 1024  # bytes of a value's JSON
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")


class TaskValueError(DbutilsError, ValueError):
    """Raised when a task value does not exist or cannot be stored; a ValueError, as on Databricks."""


class TaskValues(HasHelp):
    """Values passed on between the tasks of one run; each is JSON of at most 48 KiB.

    Args:
        context: The task that this kernel runs; None outside a job.
    """

    _name = "dbutils.jobs.taskValues"

    def __init__(self, context: TaskContext | None) -> None:
        self._context = context

    def set(self, key: str, value: object) -> None:
        """Set *value* for later tasks; outside a job, this does nothing."""
        text = self._checked(key, value)
        if self._context is None:
            return
        place = _file(self._context, self._context.task_key)
        values = {**self._read(place), key: json.loads(text)}
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
        temporary.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, place)

    def get(self, taskKey: str, key: str, default: object = None, debugValue: object = None) -> Any:
        """The value that an upstream task has set; outside a job, *debugValue*."""
        if self._context is None:
            if debugValue is None:
                raise TypeError(
                    "Must pass debugValue when calling get outside of a job context. debugValue cannot be None."
                )
            return debugValue
        known = self._context.upstream
        if taskKey not in known and taskKey != self._context.task_key:
            raise TaskValueError(
                f"dbutils.jobs.taskValues: found the task `{taskKey}`; expected an upstream task of "
                f"`{self._context.task_key}`: {_listed(known)}. Add it to depends_on, or correct the name."
            )
        values = self._read(_file(self._context, taskKey))
        if key in values:
            return values[key]
        if default is not None:
            return default
        raise TaskValueError(
            f"dbutils.jobs.taskValues: the task `{taskKey}` has set no `{key}`; it has set "
            f"{_listed(sorted(values))}. Correct the key, or pass a default."
        )

    def _checked(self, key: str, value: object) -> str:
        if not isinstance(key, str):
            raise TaskValueError(f"dbutils.jobs.taskValues: found the key {key!r}; expected a string.")
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TaskValueError(
                f"dbutils.jobs.taskValues, `{key}`: found a value that is not JSON ({error}). "
                "Pass text, numbers, booleans, None, or lists and dicts of these."
            ) from None
        if (size := len(text.encode("utf-8"))) > LIMIT:
            raise TaskValueError(
                f"dbutils.jobs.taskValues, `{key}`: found {size:,} bytes of JSON; expected at most {LIMIT:,}. "
                "Write the data to a table and pass its name."
            )
        return text

    def _read(self, place: Path) -> dict[str, Any]:
        try:
            values: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return values


class Jobs(HasHelp):
    """Features of jobs; the only module is `taskValues`."""

    _name = "dbutils.jobs"

    def __init__(self, context: TaskContext | None) -> None:
        self._context = context

    @cached_property
    def taskValues(self) -> TaskValues:
        return TaskValues(self._context)

    def help(self, command: str = "") -> None:
        """Describe `taskValues`, the only module."""
        print(f"{self._name}: features of jobs\n  taskValues: values passed on between the tasks of one run")
        self.taskValues.help(command)

    def _commands(self) -> dict[str, Any]:
        return {"taskValues": TaskValues}


def _file(context: TaskContext, task: str) -> Path:
    if not _FILE_NAME.fullmatch(task):
        raise TaskValueError(
            f"dbutils.jobs.taskValues: found the task key `{task}`; expected letters, digits, `_` and `-`. "
            "Correct the key."
        )
    return Path(context.values_folder) / f"{task}.json"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
