"""How many Spark Connect executions and Spark jobs a run took, and who started them, from Spark's own event log.

Wall time depends on the machine and on what else it does; these counts do not. A server writes the log if it was
started with `LOCAL_SPARK_CONF` set to `event_log_settings(folder)`. An *execution* is an operation that a client asked
the server to execute (`SparkListenerConnectOperationStarted`), a *job* is what Spark's scheduler ran for it
(`SparkListenerJobStart`). A job belongs to the execution whose tag it carries.

`python -m tests.bench.counting LOG` prints who starts the jobs.

Source: Spark documentation, "Monitoring and Instrumentation", `spark.eventLog.*`.
"""

import argparse
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

UNKNOWN = "(no execution: Spark itself)"
_PREFIX = "org.apache.spark.sql.connect.service."
_STARTED = f"{_PREFIX}SparkListenerConnectOperationStarted"
_JOB = "SparkListenerJobStart"
_WANTED = tuple(f'{{"Event":"{event}"'.encode() for event in (_STARTED, _JOB))
_OPERATION = re.compile(r"_Operation_([0-9a-f-]{36})")
_QUERY = re.compile(r'query: "((?:[^"\\]|\\.)*)"')
_OPERATOR = re.compile(r"^\s*(\w+) \{", re.MULTILINE)
_NAMED = re.compile(r'(?:unparsed_identifier|table_name|query_name|paths): "((?:[^"\\]|\\.)*)"')
# Messages of a plan that say how its operators are connected, not what they do.
_JOINTS = {"common", "input", "left_input", "right_input", "left", "right", "relation", "origin", "python_origin"}


@dataclass(frozen=True)
class Counts:
    """Executions and Spark jobs in a period."""

    executions: int
    jobs: int

    def __str__(self) -> str:
        return f"{self.executions} executions, {self.jobs} jobs"


@dataclass(frozen=True)
class Execution:
    """An operation that a client had executed; *text* is its SQL or an outline of its plan, *at_ms* since 1970 UTC."""

    session: str
    at_ms: int
    text: str


@dataclass(frozen=True)
class Job:
    """A Spark job; *execution* is None if Spark started it by itself."""

    at_ms: int
    execution: Execution | None


@dataclass(frozen=True)
class EventLog:
    """The executions and jobs of a log, in the order of their start."""

    executions: list[Execution]
    jobs: list[Job]

    @classmethod
    def read(cls, place: Path, *, since: int = 0, until: int | None = None) -> "EventLog":
        """What began from *since* (inclusive) to *until* (exclusive), in ms since 1970 UTC.

        Args:
            place: an uncompressed event log, possibly one that is still being written, or a folder of them.

        Raises:
            FileNotFoundError: there is no log.
        """
        executions: dict[str, Execution] = {}
        jobs = []
        for event in _events(place):
            if event["Event"] == _STARTED:
                text = outline(event["statementText"])
                executions[event["operationId"]] = Execution(event["sessionId"], event["eventTime"], text)
            else:
                tagged = _OPERATION.search(event["Properties"].get("spark.job.tags", ""))
                jobs.append(Job(event["Submission Time"], executions.get(tagged[1]) if tagged else None))
        within = _span(since, until)
        return cls(
            [execution for execution in executions.values() if execution.at_ms in within],
            [job for job in jobs if job.at_ms in within],
        )

    @property
    def counts(self) -> Counts:
        return Counts(len(self.executions), len(self.jobs))

    def by_statement(self, *, alike: bool = True) -> dict[str, Counts]:
        """The counts of each statement, most jobs first; *alike*: of those that differ only in names and values."""
        return self._by(lambda execution: shape(execution.text) if alike else execution.text)

    def by_session(self) -> dict[str, Counts]:
        """The counts of each session, that is, of each notebook, most jobs first."""
        return self._by(lambda execution: execution.session)

    def _by(self, group) -> dict[str, Counts]:
        executions = Counter(group(execution) for execution in self.executions)
        jobs = Counter(group(job.execution) if job.execution else UNKNOWN for job in self.jobs)
        found = {name: Counts(executions[name], jobs[name]) for name in executions | jobs}
        return dict(sorted(found.items(), key=lambda item: (-item[1].jobs, -item[1].executions, item[0])))


def counts(place: Path, *, since: int = 0, until: int | None = None) -> Counts:
    """Executions and jobs that began from *since* to before *until* (ms since 1970 UTC); see `EventLog.read`."""
    return EventLog.read(place, since=since, until=until).counts


def event_log_conf(folder: Path) -> dict[str, str]:
    """Spark's settings for an event log in *folder*, which must exist."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.resolve().as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }


def event_log_settings(folder: Path) -> str:
    """The same settings as a value of `LOCAL_SPARK_CONF`."""
    return shlex.join(f"{name}={value}" for name, value in event_log_conf(folder).items())


def outline(statement: str) -> str:
    """One line for the statement of an execution: its SQL, or the outermost operators of its plan and what it reads."""
    if query := _QUERY.search(statement):
        return " ".join(_unescaped(query[1]).split())
    operators = [name for name in _OPERATOR.findall(statement) if name not in _JOINTS]
    named = _NAMED.search(statement)
    return " > ".join(operators[:4]) + (f" ({_unescaped(named[1])})" if named else "")


def shape(text: str) -> str:
    """*text* without what differs between statements of one kind: values, and names of tables and columns."""
    text = re.sub(r"'(?:[^'\\]|\\.)*'", "?", text)
    text = re.sub(r"`?\b(bronze|silver|gold|ops|spark_catalog)`?\.`?\w+`?", r"\1.*", text)
    text = re.sub(r"(/[^\s/()]+)+/([^\s/()]+)", "/...", text)
    return re.sub(r"\b\d+\b", "?", text)[:160]


def _events(place: Path) -> Iterator[dict]:
    logs = sorted(place.iterdir()) if place.is_dir() else [place]
    if not logs:
        raise FileNotFoundError(
            f"`{place}`: found no event log; expected one of a server that was started with LOCAL_SPARK_CONF set to "
            f"`{event_log_settings(place)}`."
        )
    for log in logs:
        with log.open("rb") as lines:
            for line in lines:
                if line.startswith(_WANTED) and line.endswith(b"\n"):  # the last line may be incomplete
                    yield json.loads(line)


def _span(since: int, until: int | None) -> range:
    return range(since, 2**63 if until is None else until)


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")


def _table(title: str, rows: Iterable[tuple[str, Counts]], what: str) -> Table:
    table = Table(title=title)
    table.add_column("executions", justify="right")
    table.add_column("jobs", justify="right")
    table.add_column(what, overflow="fold")
    for name, found in rows:
        table.add_row(str(found.executions), str(found.jobs), name)
    return table


def _named_sessions(log: EventLog) -> dict[str, str]:
    """Sessions numbered in the order of their start, each with its first statement that is not for set-up."""
    names: dict[str, str] = {}
    for execution in log.executions:
        tells = not execution.text.startswith(("USE ", "SET "))
        if execution.session not in names and tells:
            names[execution.session] = f"{len(names) + 1}: {execution.text[:100]}"
    return names


def main() -> None:
    """Print who starts the jobs in a log."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.counting",
        description="Print who starts the Spark jobs of an event log: by session (one a notebook) and by statement.",
        epilog="For a log, start the server with LOCAL_SPARK_CONF set to: " + event_log_settings(Path("/FOLDER")),
    )
    parser.add_argument("log", type=Path, help="an event log or a folder of them")
    parser.add_argument("--since", type=int, default=0, metavar="MS", help="leave out what began before (epoch ms)")
    parser.add_argument("--until", type=int, default=None, metavar="MS", help="leave out what began then or later")
    parser.add_argument("--exact", action="store_true", help="keep statements apart that differ by names and values")
    parser.add_argument("--top", type=int, default=40, help="statements to show (default: 40)")
    options = parser.parse_args()
    log = EventLog.read(options.log, since=options.since, until=options.until)
    console = Console(width=140)
    names = _named_sessions(log)
    sessions = [(names.get(session, session), found) for session, found in log.by_session().items()]
    console.print(_table("By session, with its first statement", sessions, "session"), markup=False)
    statements = list(log.by_statement(alike=not options.exact).items())
    console.print(_table("By statement", [(n[:300], found) for n, found in statements[: options.top]], "statement"))
    if more := statements[options.top :]:
        console.print(f"and {sum(found.jobs for _, found in more)} jobs of {len(more)} more (--top)")
    console.print(f"together: {log.counts}")


if __name__ == "__main__":
    main()
