"""Streaming tables and materialized views that a statement makes by itself, outside of a pipeline.

Source: Databricks SQL language manual, CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, REFRESH, ALTER and DROP
MATERIALIZED VIEW, ALTER STREAMING TABLE; each of these datasets has a pipeline of its own, and the statement ends when
its update has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lakelocal.dialect import server as ask
from lakelocal.dialect.names import join_name
from lakelocal.dialect.sessions import Namespace
from lakelocal.dialect.statement import NOTHING, Statement
from lakelocal.errors import DialectError
from lakelocal.sql.writing import Edit, apply

TABLE, VIEW = "STREAMING TABLE", "MATERIALIZED VIEW"
Name = tuple[str, str, str]  # catalog, schema and table, in lower case
_SETTINGS = ("spark.sql.ansi.enabled", "spark.sql.session.timeZone")  # of the session, which its queries keep


@dataclass(frozen=True)
class Owner:
    """What a dataset is, `TABLE` or `VIEW`, and the id of the pipeline that makes it; "" if it has one of its own."""

    kind: str
    pipeline: str = ""


class Datasets(Protocol):
    """The datasets of a state, as statements need them."""

    def make(self, text: str, name: Name, place: Namespace, settings: Mapping[str, str]) -> None:
        """Make the dataset *name* as *text* defines it, or change it to that, and fill it or bring it up to date.

        *place* is that of the session, *settings* are those that hold in the query, now and in each refresh.
        """

    def refresh(self, name: Name, *, full: bool) -> None:
        """Bring the dataset *name* up to date; *full*: from nothing."""

    def forget(self, name: Name) -> None:
        """Forget the dataset *name*, whose table is dropped."""

    def owner(self, name: Name) -> Owner | None:
        """Who makes the dataset *name*; None if it is none, or was never made."""


def dataset_statement(statement: Statement, datasets: Datasets | None, place: Namespace) -> str | None:
    """What Spark runs instead of a statement about a streaming table or a materialized view; None for any other.

    *datasets* is None where there are none: at a server elsewhere, and inside of a foreachBatch function.

    Raises:
        DialectError: the statement cannot be done.
    """
    first = statement.words[0]
    if first == "CREATE":
        at = next((end for how in ("OR REFRESH", "OR REPLACE") if (end := statement.skip(1, how)[0]) != 1), 1)
        kind = _kind(statement, at)
        return _create(statement, _needed(statement, datasets), place, at + 2, kind) if kind else None
    if first not in ("ALTER", "DROP", "REFRESH"):
        return None
    if (kind := _kind(statement, 1)) is None:
        return _of_any_table(statement, datasets) if datasets else None
    at, if_exists = statement.skip(3, "IF EXISTS")
    parts = statement.named(at)
    name, datasets = _name(statement, parts), _needed(statement, datasets)
    if if_exists and datasets.owner(name) is None:
        return NOTHING
    owner = _found(statement, datasets, name, kind)
    if first == "DROP":
        return _drop(datasets, name, parts)
    return _alter(statement) if first == "ALTER" else _refresh(statement, datasets, name, owner)


def _create(statement: Statement, datasets: Datasets, place: Namespace, at: int, kind: str) -> str:
    at, if_not_exists = statement.skip(at, "IF NOT EXISTS")
    name = _name(statement, statement.named(at))
    exists, owner = _exists(statement, name), datasets.owner(name)
    if exists and statement.word(1) != "OR":
        if if_not_exists:
            return NOTHING
        way = "CREATE OR REPLACE" if kind == VIEW else "CREATE OR REFRESH"
        raise DialectError(
            f"[TABLE_OR_VIEW_ALREADY_EXISTS] {statement.where}: `{'.'.join(name)}` exists. "
            f"Write {way}, or IF NOT EXISTS."
        )
    if owner and owner.pipeline:
        raise DialectError(_belongs(statement, name, owner))
    if owner and not exists:
        datasets.forget(name)
    settings = {key: row["value"] for key in _SETTINGS for row in statement.run(f"SET {key}")}
    datasets.make(statement.sql, name, place, settings)
    return NOTHING


def _refresh(statement: Statement, datasets: Datasets, name: Name, owner: Owner) -> str:
    if owner.pipeline:
        raise DialectError(_belongs(statement, name, owner))
    if statement.has("WHERE"):
        raise DialectError(f"{statement.where}: WHERE has no counterpart on this machine. Refresh all of it.")
    datasets.refresh(name, full=statement.has("FULL"))
    return NOTHING


def _drop(datasets: Datasets, name: Name, parts: Sequence[str]) -> str:
    """The statement that drops the table of the dataset *name*, which is forgotten."""
    datasets.forget(name)
    return f"DROP TABLE IF EXISTS {join_name(parts)}"


def _alter(statement: Statement) -> str:
    if statement.has("SCHEDULE") or statement.has("TRIGGER"):
        return statement.note("nothing is refreshed by itself on this machine; use REFRESH")
    return apply(statement.sql, [Edit(statement.tokens[1].start, statement.tokens[2].end, "TABLE")])


def _of_any_table(statement: Statement, datasets: Datasets) -> str | None:
    """`REFRESH TABLE` and `DROP TABLE|VIEW` of a dataset that has no pipeline but its own."""
    if statement.words[0] == "ALTER" or statement.words[1:2] not in (["TABLE"], ["VIEW"]):
        return None
    at, _ = statement.skip(2, "IF EXISTS")
    parts = statement.name(at)
    if not parts:
        return None
    name = _name(statement, parts)
    owner = datasets.owner(name)
    if owner is None or owner.pipeline or not _exists(statement, name):
        return None
    return _drop(datasets, name, parts) if statement.words[0] == "DROP" else _refresh(statement, datasets, name, owner)


def _found(statement: Statement, datasets: Datasets, name: Name, kind: str) -> Owner:
    """The owner of *name*, which is there and of *kind*."""
    owner = datasets.owner(name)
    if owner is None or not _exists(statement, name):
        raise DialectError(
            f"[TABLE_OR_VIEW_NOT_FOUND] {statement.where}: found no {kind.lower()} `{'.'.join(name)}`. Create it first."
        )
    if owner.kind != kind:
        raise DialectError(
            f"{statement.where}: found `{'.'.join(name)}`, a {owner.kind.lower()}; expected a {kind.lower()}. "
            f"Write {owner.kind}."
        )
    return owner


def _needed(statement: Statement, datasets: Datasets | None) -> Datasets:
    if statement.in_script:
        raise DialectError(f"{statement.where}: it has an update of its own. Run it before the script.")
    if datasets is None:
        raise DialectError(
            f"{statement.where}: streaming tables and materialized views are made by the server of this machine only, "
            "and not inside of a foreachBatch function. Use CREATE TABLE or CREATE VIEW there."
        )
    return datasets


def _exists(statement: Statement, name: Name) -> bool:
    catalog, schema, table = name
    stored = (statement.names.schema([catalog, schema], statement.where) or [schema])[0]
    return ask.has_table(statement.server, stored, table)


def _name(statement: Statement, parts: Sequence[str]) -> Name:
    catalog, schema, table = statement.whole_name(parts)[-3:]
    return catalog, schema, table


def _belongs(statement: Statement, name: Name, owner: Owner) -> str:
    return f"{statement.where}: `{'.'.join(name)}` belongs to the pipeline {owner.pipeline}. Update that one instead."


def _kind(statement: Statement, at: int) -> str | None:
    """The kind of dataset that the two words at token *at* name."""
    words = " ".join(statement.words[at : at + 2])
    return words if words in (TABLE, VIEW) else None
