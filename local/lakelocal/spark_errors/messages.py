"""The messages of Spark's errors: without the details that Spark adds, and reworded if they are common ones."""

import re

from lakelocal.plain_words import CAUSE, Nearby, plain_condition
from lakelocal.spark_errors.in_worker import failure_in_worker

_CONDITION = re.compile(r"(?:^|: |^\([\w.$]+\) )\s*\[[A-Z][A-Z0-9_.]{3,}\] ")
_OF_SPARK = re.compile(r"\s*(?:\[[A-Z][A-Z0-9_.]{3,}\] |\((?:java|scala|org\.apache|io\.delta)\.[\w.]+\) )")
_ITEM = re.compile(r"[\w.`]+: ")  # the beginning of an entry in a list of failures
_SQLSTATE = re.compile(r" SQLSTATE: \w{5}(?:; (line \d+ pos \d+))?;?")
_MARKED = re.compile(r"^== SQL \(.*\) ==\n(?P<code>.*)\n(?P<marks> *\^+)\s*$", re.MULTILINE)
_CALLED = re.compile(
    r"^== DataFrame ==\n\"(?P<call>.+)\" was called from\n(?:line (?P<line>\d+) in cell)?.*$", re.MULTILINE
)


def without_spark_details(text: str) -> str:
    """The message *text* without the details that Spark adds: the statement, the plan, Java frames, the SQLSTATE.

    A message of Spark begins with its condition in brackets. It becomes one line, even inside another text, such as a
    list of tables that failed. For a function that failed in a worker, the error of the function is given. All other
    text stays as it is.
    """
    if failure := failure_in_worker(text):
        return str(failure)
    if not _CONDITION.search(text):
        return text
    lines: list[str] = []
    in_message = in_plan = False
    for line in _CALLED.sub(_called, _MARKED.sub(_marked, text)).strip().splitlines():
        begins = bool(_CONDITION.search(line))
        if begins or (in_plan and _ITEM.match(line)):
            lines.append(line.strip())
            in_message, in_plan = begins, False
        elif in_message and line.strip() and not line.startswith("== "):
            lines[-1] += f" {line.strip()}"
        elif in_message:  # the statement comes next
            in_plan, in_message = True, False
        elif not in_plan:
            lines.append(line)
        if in_message and line.endswith(";"):  # the plan comes next
            in_plan, in_message = True, False
    return "\n".join(_SQLSTATE.sub(_place, line).removesuffix(";") for line in lines)


def in_plain_words(text: str, nearby: Nearby | None = None) -> str:
    """The message *text* of Spark, reworded if it is a common one; *nearby* has names that may have been meant."""
    nearby = nearby or Nearby()
    if (cause := text.rpartition(CAUSE)[2]).startswith("["):
        text = cause
    return "\n".join(plain_condition(line, nearby) for line in without_spark_details(text).split("\n"))


def is_spark_error(text: str) -> bool:
    """Is *text* a message of Spark, which begins with a condition or with the class of a Java exception?"""
    return bool(_OF_SPARK.match(text))


def _place(sqlstate: re.Match[str]) -> str:
    return f" ({sqlstate[1]})" if sqlstate[1] else ""


def _marked(statement: re.Match[str]) -> str:
    """The part of a statement that Spark has marked in the line below it, because a value there is wrong."""
    marks = statement["marks"]
    return f"(in `{statement['code'][len(marks) - len(marks.lstrip()) : len(marks)]}`)"


def _called(statement: re.Match[str]) -> str:
    """The method of a DataFrame or a column that met a wrong value, and where the cell calls it."""
    line = f", line {statement['line']} of the cell" if statement["line"] else ""
    return f"(in `{statement['call']}`{line})"
