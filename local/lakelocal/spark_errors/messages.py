"""The message of an error of Spark: without what Spark adds for itself, and its common forms in plain words."""

import re

from lakelocal.plain_words import CAUSE, Nearby, plain_condition
from lakelocal.spark_errors.in_worker import failure_in_worker

_CONDITION = re.compile(r"(?:^|: |^\([\w.$]+\) )\s*\[[A-Z][A-Z0-9_.]{3,}\] ")
_OF_SPARK = re.compile(r"\s*(?:\[[A-Z][A-Z0-9_.]{3,}\] |\((?:java|scala|org\.apache|io\.delta)\.[\w.]+\) )")
_ITEM = re.compile(r"[\w.`]+: ")  # of a list of failures, each with what it is of
_SQLSTATE = re.compile(r" SQLSTATE: \w{5}(?:; (line \d+ pos \d+))?;?")


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
