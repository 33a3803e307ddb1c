"""Tables of a catalog in a list, and one table: its columns, its history, and the tasks that write it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakelocal.commits import writer_of
from lakelocal.delta_log import Metadata, commit_info, metadata_of, rows_of, versions_of
from lakelocal.errors import UnknownRunError
from lakelocal.history.reading import History
from lakelocal.jobs.tables import name_of, rows_changed
from lakelocal.pages.links import Links

COMMITS = 30


@dataclass(frozen=True)
class TableLine:
    """A Delta table: *rows* is None if its files do not state it; *changed_ms* is the time of its last commit."""

    name: str
    rows: int | None
    version: int
    changed_ms: int
    operation: str

    @property
    def schema(self) -> str:
        return self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Commit:
    """A version of a table; *writer* is the task that made it, shown at *href*, both empty if that is not known."""

    version: int
    at_ms: int
    operation: str
    inserted: int
    updated: int
    deleted: int
    writer: str
    href: str


@dataclass(frozen=True)
class TableView:
    """One table; *writers* are the tasks that made its last commits, each once, the newest first."""

    name: str
    rows: int | None
    metadata: Metadata
    commits: Sequence[Commit]

    @property
    def writers(self) -> Mapping[str, str]:
        """Where the newest commit of each writer is shown."""
        found: dict[str, str] = {}
        for commit in self.commits:
            if commit.writer:
                found.setdefault(commit.writer, commit.href)
        return found


def table_lines(logs: Iterable[Path]) -> list[TableLine]:
    """The tables with *logs*, by name."""
    found = []
    for log in logs:
        if versions := versions_of(log):
            info = commit_info(versions[-1])
            found.append(
                TableLine(
                    name_of(log.parent),
                    rows_of(log, versions),
                    int(versions[-1].stem),
                    int(info.get("timestamp", 0)),
                    str(info.get("operation", "")),
                )
            )
    return sorted(found, key=lambda line: line.name)


def table_view(log: Path, history: History, links: Links) -> TableView | None:
    """The table with *log*, written by runs of *history*; None if the log does not contain its columns."""
    versions = versions_of(log)
    metadata = metadata_of(log, versions)
    if metadata is None:
        return None
    jobs: dict[int, str] = {}
    commits = [_commit(file, history, links, jobs) for file in reversed(versions[-COMMITS:])]
    return TableView(name_of(log.parent), rows_of(log, versions), metadata, commits)


def _commit(file: Path, history: History, links: Links, jobs: dict[int, str]) -> Commit:
    info = commit_info(file)
    inserted, updated, deleted = rows_changed(info)
    writer, href = writer_of(info), ""
    if writer:
        if writer.job_run_id not in jobs:
            jobs[writer.job_run_id] = _job_of(writer.job_run_id, history)
        href = links.run(writer.task_run_id) if jobs[writer.job_run_id] else ""
    name = f"{jobs[writer.job_run_id]} > {writer.task_key}" if writer and href else ""
    at, operation = int(info.get("timestamp", 0)), str(info.get("operation", ""))
    return Commit(int(file.stem), at, operation, inserted, updated, deleted, name, href)


def _job_of(run_id: int, history: History) -> str:
    """The key of the job of a run; empty if the run has been deleted."""
    try:
        return history.run(run_id).job_key
    except UnknownRunError:
        return ""
