"""The most common errors in plain words: what was found, what was expected, what to do next, in one sentence.

They are errors of Spark, which have a condition in brackets, and errors of Python that say less than a person needs.
The notebook shows the error as it was raised; all other errors stay as they are.

Source of the messages: `error-conditions.json` of Spark and `delta-error-classes.json` of Delta, for the versions of
`lakelocal.versions`; a test compares them.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lakelocal import errors
from lakelocal.near_names import near_name
from lakelocal.paths import about_sample_files
from lakelocal.program import PROGRAM

CAUSE = "Caused by: "
"""The text in a message of Spark that precedes the message of the cause, which says more."""


@dataclass(frozen=True)
class Nearby:
    """Finds existing names that may have been meant: *tables* of a schema, and the *path* most similar to another."""

    tables: Callable[[str], Iterable[str]] = lambda schema: ()
    path: Callable[[str], str | None] = lambda path: None


# For each condition: a pattern for the parameters in its message, and the sentence. If the pattern does not match, the
# message is kept.
SPARK: Mapping[str, tuple[str, str]] = {
    "UNRESOLVED_COLUMN.WITH_SUGGESTION": (
        r"with name (?P<name>.+?) cannot be resolved\. Did you mean one of the following\? \[(?P<near>.*?)\]\.",
        "column {name} not found; did you mean {near}?",
    ),
    "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION": (
        r"with name (?P<name>.+?) cannot be resolved\.",
        "column {name} not found; correct its name.",
    ),
    "UNRESOLVED_FIELD.WITH_SUGGESTION": (
        r"A field with name (?P<name>.+?) cannot be resolved with the struct-type column (?P<column>.+?)\. "
        r"Did you mean one of the following\? \[(?P<near>.*?)\]\.",
        "field {name} not found in column {column}; did you mean {near}?",
    ),
    "TABLE_OR_VIEW_NOT_FOUND": (
        r"The table or view (?P<table>.+?) cannot be found\.",
        "table or view {table} not found; {hint}",
    ),
    "SCHEMA_NOT_FOUND": (
        r"The schema (?P<name>.+?) cannot be found\.",
        "schema {name} not found; correct its name, or create it first: CREATE SCHEMA IF NOT EXISTS ...",
    ),
    "CAST_INVALID_INPUT": (
        r"The value (?P<value>.+?) of the type (?P<source>.+?) cannot be cast to (?P<target>.+?) because",
        "the value {value} ({source}) is not a valid {target}; correct it at its source, or use try_cast, which gives "
        "NULL instead.",
    ),
    "CAST_OVERFLOW": (
        r"The value (?P<value>.+?) of the type (?P<source>.+?) cannot be cast to (?P<target>.+?) due to",
        "the value {value} ({source}) is too large for {target}; use a larger type, or try_cast, which returns NULL "
        "instead.",
    ),
    "DIVIDE_BY_ZERO": (
        r"Division by zero\.",
        "division by zero; filter such rows out, or use try_divide, which returns NULL instead.",
    ),
    "PATH_NOT_FOUND": (
        r"Path does not exist: (?P<path>.+?)\.?$",
        "found nothing at `{path}`; {hint}",
    ),
    "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE": (
        r"Cannot perform Merge as multiple source rows matched",
        "MERGE: found several source rows for one row of the table; keep only one for each key, for example with "
        "QUALIFY row_number() OVER (PARTITION BY key ORDER BY time DESC) = 1.",
    ),
    "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES": (
        r"CHECK constraint (?P<constraint>.+?) violated by row with values:\s*-? ?(?P<values>.*)",
        "a row violates the CHECK constraint {constraint}: {values}; correct such rows, or filter them out.",
    ),
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED": (
        r"NOT NULL constraint violated for column: (?P<column>.+?)\.",
        "found NULL in the column `{column}`, which is NOT NULL; fill in a value, or filter such rows out.",
    ),
}
# For each class of error: a pattern for the parameters in its message, and the sentence.
PYTHON: Mapping[str, tuple[str, str]] = {
    "FileNotFoundError": (
        r"\[Errno 2\] No such file or directory: '?(?P<path>.+?)'?$",
        "found no file `{path}`; {hint}",
    ),
    "PermissionError": (
        r"\[Errno \d+\] (?:Permission denied|Operation not permitted): '?(?P<path>.+?)'?$",
        "this user may not read or write `{path}`; use another place, such as a volume, or change its permissions.",
    ),
    "OSError": (
        r"\[Errno 28\] No space left on device",
        f"the disk is full; free space, for example with `{PROGRAM} runs prune`, then repair the run.",
    ),
    "ModuleNotFoundError": (
        r"No module named '(?P<module>(?!dlt')[^']+)'",
        "found no module `{module}`; install its package: `%pip install` in the first cell, or the environment of the "
        "task.",
    ),
    "SyntaxError": (
        r"^(?P<text>.+?) \(\d+\.py, line (?P<line>\d+)\)$",  # the name that IPython gives to a cell
        "SyntaxError: {text}{where}, line {line} of the cell.",
    ),
    "IndentationError": (
        r"^(?P<text>.+?) \(\d+\.py, line (?P<line>\d+)\)$",
        "IndentationError: {text}{where}, line {line} of the cell.",
    ),
    "NameError": (
        r"name '(?P<name>[^']+)' is not defined",
        "the name `{name}` is not defined; correct it, or define it in a cell before.",
    ),
    "MemoryError": (
        r"^(?P<what>.*)$",
        "the kernel ran out of memory{what}{where}; process fewer rows at a time, or let Spark process them.",
    ),
    "SystemExit": (
        r"^(?P<code>.+)$",
        "the code exited with the exit code {code}; expected 0, or dbutils.notebook.exit.",
    ),
}
# By what the message says, whichever library raised it.
NETWORK: tuple[tuple[str, str], ...] = (
    (
        r"Connection refused",
        "nothing answers{at} (connection refused){where}; start the service, or correct the address.",
    ),
    (
        r"Name or service not known|nodename nor servname|name resolution|No address associated",
        "the name of the host is unknown{at}{where}; correct the address, or see whether this machine is online.",
    ),
    (
        r"(?i)timed out",
        "no answer in time{at}{where}; see whether the service is busy or a firewall is between, or wait longer.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "the certificate of the host is not trusted{at}{where}; add its authority to those that this machine trusts.",
    ),
)
_OF_NETWORK = re.compile(
    r"URLError|gaierror|SSLError|SSLCertVerificationError|Conn\w*Error|\w*Timeout(Error)?|OperationalError"
)
_HOST = re.compile(r"host='(?P<host>[^']+)', port=(?P<port>\d+)")
_IN_STREAM = re.compile(r"\[STREAM_FAILED\] Query \[.*?\] terminated with exception: | === Streaming Query ===.*")
_PIPELINES_ONLY = re.compile(r"No module named 'dlt'")
_CONDITION = re.compile(
    r"(?:\w+(?:Exception|Error): |\([\w.$]+\) )?"  # a class of Python or of Java
    r"\[(?P<condition>[A-Z][A-Z0-9_.]{3,})\] (?P<message>.*)"
)
_PLACE = re.compile(r" (?P<place>\(line \d+,? pos \d+\)|\(in `.+`.*\))$")
_BYPASS = re.compile(r" If necessary set \S+ to \S+ to bypass this error[^.]*\.")
_TOLERATE = re.compile(r" To tolerate the error on drop use .*? IF EXISTS\.")
_DATABRICKS_CLASS = re.compile(r"^com\.databricks\.[\w.]+: ")
# Error classes of `lakelocal` that are not in its module `errors`.
_OWN = ("NotebookRunError", "InputWidgetNotDefined", "PipelineError", "DefinitionError", "AnalysisError")
_VIOLATION = "EXPECTATION_VIOLATION.VERBOSITY_ALL"  # not one of Spark's: the words of Databricks' pipelines
_VIOLATED = (
    r"Violated expectations: '(?P<rules>.*?)'\. Output record: '(?P<record>.*)'\.(?P<rest>.*)$",
    "a row violates the expectation `{rules}`: {record}; correct such rows, or drop them with expect_or_drop. {rest}",
)
_CONFLICT = "DELTA_CONCURRENT_"
_ANY_F_STRING = (3, 12)  # the first Python that takes any expression in an f-string; Databricks Runtime 16 has it
_CONFLICTING = re.compile(r"a concurrent (?P<operation>.+?) (?:added data to|deleted data from) table (?P<table>\S+)")


def plain_condition(line: str, nearby: Nearby) -> str:
    """*line*, with Spark's message in it, if there is one, put into plain words."""
    line = _IN_STREAM.sub("", line.rpartition(CAUSE)[2])
    found = _CONDITION.search(line)
    if not found:
        return line
    condition, message = found["condition"], found["message"]
    if condition.startswith(_CONFLICT):
        plain = _conflict(message)
    elif condition == _VIOLATION and (said := _filled(*_VIOLATED, message, nearby).rstrip()):
        plain = said
    elif said := _filled(*SPARK.get(condition, ("(?!)", "")), message, nearby):
        place = _PLACE.search(message)
        plain = f"{said}{place[0] if place else ''}"
    else:
        plain = f"[{condition}] {_TOLERATE.sub('', _BYPASS.sub('', message))}"
    return f"{line[: found.start()]}{plain}"


def _conflict(message: str) -> str:
    found = _CONFLICTING.search(message)
    who, which = (f"another {found['operation']}", found["table"]) if found else ("another writer", "the same table")
    return (
        f"{who} changed {which} at the same time, so nothing was written; run it again, or run the two one after the "
        "other."
    )


def plain_error(name: str, message: str, where: str, nearby: Nearby) -> str:
    """The Python error of the class *name* with *message*, as one sentence.

    *where* is the line that raised it, with the values there: it tells more than a short message of Python itself.
    Empty if somebody wrote the message for people.
    """
    where = f", {where}" if where else ""
    if said := _filled(*PYTHON.get(name, ("(?!)", "")), message, nearby, where):
        return said
    if _OF_NETWORK.fullmatch(name) and (said := _of_network(message, where)):
        return said
    if _PIPELINES_ONLY.fullmatch(message):
        return "found no module `dlt`, which only pipelines have; run this notebook as a library of a pipeline."
    if name in _OWN or hasattr(errors, name):
        return _DATABRICKS_CLASS.sub("", message)
    return f"{name}{f': {message}' if message else ''}{where}"


def _of_network(message: str, where: str) -> str:
    host = _HOST.search(message)
    at = f" at {host['host']}:{host['port']}" if host else ""
    sentences = (sentence for pattern, sentence in NETWORK if re.search(pattern, message))
    return next(sentences, "").format(at=at, where=where)


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def _filled(pattern: str, sentence: str, message: str, nearby: Nearby, where: str = "") -> str:
    """*sentence* with the parameters that *pattern* finds in *message*; empty if it does not match."""
    found = re.search(pattern, message)
    if not found:
        return ""
    values = {name: value.strip().strip('"') for name, value in found.groupdict().items()}
    if "record" in values:
        values["record"] = _row(values["record"])
    if "near" in values:
        values["near"] = _either(values["near"].split(", ")[:3])
    if "values" in values:
        values["values"] = re.sub(r"\s+-\s+", ", ", values["values"]).replace(" : ", " = ")
    if "table" in values:
        values["hint"] = _table_hint(values["table"], nearby)
    if "path" in values:
        near = nearby.path(values["path"])
        absent = about_sample_files(values["path"]) or "deliver the file, or correct the path."
        values["hint"] = f"did you mean `{near}`?" if near else absent
    if values.get("what"):
        values["what"] = f": {values['what']}"
    if values.get("text", "").startswith("f-string") and sys.version_info < _ANY_F_STRING:
        values["text"] += f"; Python {_dotted(_ANY_F_STRING)} may allow it, but this is {_dotted(sys.version_info[:2])}"
    return sentence.format(**values, where=where)


def _row(record: str) -> str:
    """`id = 2, amount = null`, for *record* in JSON; *record* itself if it is not whole."""
    try:
        return ", ".join(f"{name} = {json.dumps(value)}" for name, value in json.loads(record).items())
    except (ValueError, AttributeError):
        return record


def _either(names: list[str]) -> str:
    """`a, b or c`."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _table_hint(table: str, nearby: Nearby) -> str:
    *parents, name = table.replace("`", "").split(".")
    near = near_name(name, nearby.tables(parents[-1] if parents else ""))
    if near is None:
        return "correct its name, or run first what creates it."
    return f"did you mean {'.'.join(f'`{part}`' for part in [*parents, near])}?"
