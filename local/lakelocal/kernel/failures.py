"""How the errors of Spark and of the emulator show in a notebook: where in the user's code, then what is wrong.

IPython's full traceback would be fifty frames of Spark's client and of the emulator, which help nobody.
"""

import linecache
import re
import sysconfig
import traceback
from pathlib import Path

from lakelocal.kernel.worker_failures import failure_in_worker, is_cell
from lakelocal.plain_words import CAUSE, Nearby, plain_condition

SAID_ABOVE = "What it said is above."
"""The end of a reason that is in what the cell printed; the runner, which has that, tells the last line of it."""
_OURS = Path(__file__).resolve().parents[1]
_CONDITION = re.compile(r"(?:^|: |^\([\w.$]+\) )\s*\[[A-Z][A-Z0-9_.]{3,}\] ")
_OF_SPARK = re.compile(r"\s*(?:\[[A-Z][A-Z0-9_.]{3,}\] |\((?:java|scala|org\.apache|io\.delta)\.[\w.]+\) )")
_ITEM = re.compile(r"[\w.`]+: ")  # of a list of failures, each with what it is of
_SQLSTATE = re.compile(r" SQLSTATE: \w{5}(?:; (line \d+ pos \d+))?;?")
_LIBRARIES = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")}


def install(errors: type[Exception]) -> None:
    """Let IPython show *errors* this way; it asks each error for this method."""
    errors._render_traceback_ = render  # type: ignore[attr-defined]  # IPython looks for it, Exception has none


def render(error: Exception) -> list[str]:
    """The lines to show for *error*: the user's frames, outermost first, then class and message.

    Where a function of the user failed in a worker of Spark, its frames and its error are shown.
    """
    lines = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if _is_users(file):
            source = linecache.getline(file, number, frame.f_globals).strip()
            lines.append(f"{_shown(file)}, line {number}: {source}")
    if failure := failure_in_worker(str(error)):
        lines.append("in the function that Spark ran:")
        for place in failure.frames:  # the worker cannot read the source of a cell
            source = place.source or linecache.getline(place.file, place.line).strip()
            lines.append(f"{_shown(place.file)}, line {place.line}: {source}")
        return [*lines, f"{type(error).__name__}: {failure.error}"]
    return [*lines, f"{type(error).__name__}: {error}"]


def what_spark_says(text: str) -> str:
    """The message *text* without what Spark adds for itself: the statement, the plan, frames of Java, the SQLSTATE.

    A message of Spark begins with its condition in brackets and becomes one line, also where it stands inside of
    another text, such as a list of tables that failed. Of a function that failed in a worker, its error is told. All
    other text stays as it is.
    """
    if failure := failure_in_worker(text):
        return str(failure)
    if not _CONDITION.search(text):
        return text
    lines: list[str] = []
    in_message = in_plan = False
    for line in text.strip().splitlines():
        begins = bool(_CONDITION.search(line))
        if begins or (in_plan and _ITEM.match(line)):
            lines.append(line.strip())
            in_message, in_plan = begins, False
        elif in_message and line.strip() and not line.startswith("== "):
            lines[-1] += f" {line.strip()}"
        elif in_message:  # the statement follows
            in_plan, in_message = True, False
        elif not in_plan:
            lines.append(line)
        if in_message and line.endswith(";"):  # the plan follows
            in_plan, in_message = True, False
    return "\n".join(_SQLSTATE.sub(_place, line).removesuffix(";") for line in lines)


def in_plain_words(text: str, nearby: Nearby | None = None) -> str:
    """What Spark says in *text*, the common messages in plain words; *nearby* serves to find names that were meant."""
    nearby = nearby or Nearby()
    if (cause := text.rpartition(CAUSE)[2]).startswith("["):
        text = cause
    return "\n".join(plain_condition(line, nearby) for line in what_spark_says(text).split("\n"))


def is_of_spark(text: str) -> bool:
    """Is the message *text* one of Spark, with its condition or with the class of Java that it is of?"""
    return bool(_OF_SPARK.match(text))


def _place(sqlstate: re.Match[str]) -> str:
    return f" ({sqlstate[1]})" if sqlstate[1] else ""


def _is_users(file: str) -> bool:
    if file.startswith("<"):
        return False
    place = Path(file).resolve()
    return not any(place.is_relative_to(folder) for folder in (_OURS, *_LIBRARIES))


def _shown(file: str) -> str:
    return "this cell" if is_cell(file) else Path(file).name
