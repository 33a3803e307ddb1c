"""What went wrong in an attempt, said to a person: the error of a cell, or the death of the kernel."""

import re
import signal
from pathlib import Path, PurePosixPath

from lakelocal.catalogs import DEFAULT_SCHEMA
from lakelocal.compute import state_warehouse
from lakelocal.errors import LocalError
from lakelocal.kernel.catalog import find_state
from lakelocal.kernel.failures import IN_WORKER
from lakelocal.kernel.raised import NOTE
from lakelocal.near_names import near_name
from lakelocal.paths import DatabricksPaths
from lakelocal.plain_words import Nearby, plain_error
from lakelocal.project import State
from lakelocal.server.log import OUT_OF_MEMORY
from lakelocal.spark_errors.in_worker import failure_in_worker
from lakelocal.spark_errors.messages import in_plain_words, is_spark_error

# Spark's account of a task that failed, and the exception of Java in it, without its frames.
_LOST_TASK = re.compile(
    r"Job aborted due to stage failure: .*?\(TID \d+\) \(.*?\): (?:[\w.$]+: )?(?P<cause>.*?)(?:\n\s*at |\n\n|$)",
    re.DOTALL,
)
_TABLE_AND_DATA = re.compile(r"\nTable schema:(?P<table>.*?)\nData schema:(?P<data>.*?)(?:\n\s*\n\S|$)", re.DOTALL)
_DIGITS = re.compile(r"\d+")
_COLUMN = re.compile(r"^\s*\|?-- (.+?): ", re.MULTILINE)
_MISWRITTEN = re.compile(r"\bline \d+\n\s*(?P<code>.+)\n\s*\^+")  # what IPython shows of an error of syntax
_LINE_IN_WORKER = re.compile(rf"^{IN_WORKER}(?:\n.+)*\n.+?, line \d+: (?P<code>.+)$", re.MULTILINE)


def explained(name: str, message: str, frames: list[str]) -> str:
    """The error of the class *name* with *message*; *frames* are the parts of its traceback, as plain text."""
    try:
        nearby = nearby_of(find_state(Path.cwd()))
    except LocalError:
        nearby = Nearby()
    if OUT_OF_MEMORY in message:
        return (
            "the memory of the Spark server was used up; let it process or collect fewer rows at a time, or give it "
            "more: set LOCAL_MEMORY=4g or the like, then stop the server, which the next run starts."
        )
    if differing := _differing_columns(message):
        return differing
    if failure := failure_in_worker(message):
        return failure.told(_found(_LINE_IN_WORKER, "\n".join(frames)))
    lost = _LOST_TASK.search(message)
    said = in_plain_words(lost["cause"] if lost else message, nearby)
    if lost or is_spark_error(message):
        return said
    return plain_error(name, said, _where(frames), nearby)


def death_of_kernel(status: int | None) -> str:
    """Why the kernel ended while a cell ran; *status* is its exit status, None if that is not known."""
    if status == -signal.SIGKILL:
        return (
            "the kernel was killed, most likely because the memory of the machine was used up; process fewer rows at a "
            "time, or by Spark instead of pandas, or free memory."
        )
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return f"the kernel crashed ({name}), most likely in a compiled library that the cell calls; look at its log."
    how = f" with exit code {status}" if status else ""
    return f"the kernel ended{how} while the cell ran; expected that the code does not end its own process."


def _where(frames: list[str]) -> str:
    """The code that raised the error, as recorded by the kernel or shown by IPython; empty if it is unknown."""
    note = next((frame for frame in reversed(frames) if frame.startswith(NOTE)), "")
    code = _found(_MISWRITTEN, "\n".join(frames))
    return note.removeprefix("raised ") or (f"in `{code}`" if code else "")


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found["code"].strip() if found else ""


def _differing_columns(message: str) -> str:
    """What differs between a table and the data for it, by the two schemas in the message of Delta; empty otherwise."""
    table, data = (set(_COLUMN.findall(part)) for part in _schemas(message))
    if table == data:
        return ""
    new, missing = ", ".join(sorted(data - table)) or "none", ", ".join(sorted(table - data)) or "none"
    return (
        f"the columns of the data are not those of the table: new {new}; missing {missing}. Correct them, or add new "
        'columns to the table with `.option("mergeSchema", "true")`.'
    )


def _schemas(message: str) -> tuple[str, str]:
    found = _TABLE_AND_DATA.search(message)
    return (found["table"], found["data"]) if found else ("", "")


def nearby_of(state: State) -> Nearby:
    """What the catalog of *state* has. Views are not known, since they are no folders."""
    return Nearby(lambda schema: _tables(state, schema), lambda path: _near_path(state, path))


def _tables(state: State, schema: str) -> list[str]:
    folder = state_warehouse.tables_folder(state)
    return [table.name for table in folder.glob(f"{schema or DEFAULT_SCHEMA}.db/*")] if folder else []


def _near_path(state: State, path: str) -> str | None:
    """*path* up to its first part that does not exist, with a similar one that does instead; None if there is none."""
    paths = DatabricksPaths(state)
    place = PurePosixPath(path)
    for missing in (place, *place.parents[:-1]):
        if folder := _folder(paths, str(missing.parent)):
            near = near_name(missing.name, _names(folder))
            if near and _DIGITS.sub("0", near) == _DIGITS.sub("0", missing.name):
                return None  # the file of another day: nobody has misspelt anything
            return str(missing.parent / near) if near else None
    return None


def _names(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir()]
    except OSError:  # such as one that this user may not list
        return []


def _folder(paths: DatabricksPaths, path: str) -> Path | None:
    """The folder *path* on this machine; None if there is no such folder."""
    try:
        folder = paths.to_local(path) if paths.is_databricks(path) else Path(path)
    except LocalError:
        return None
    return folder if folder.is_dir() else None
