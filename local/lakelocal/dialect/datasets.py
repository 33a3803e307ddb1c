"""Streaming tables and materialized views that are created by a statement, outside of the bundle's pipelines.

Source: Databricks SQL language manual, CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, REFRESH, ALTER and DROP
MATERIALIZED VIEW, ALTER STREAMING TABLE. Each of these datasets has its own pipeline, and the statement ends when the
update of this pipeline has ended.
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
_SETTINGS = ("spark.sql.ansi.enabled", "spark.sql.session.timeZone")  # settings of the session that a query keeps


@dataclass(frozen=True)
class Owner:
    """The kind of a dataset, `TABLE` or `VIEW`, and the id of the pipeline that owns it; "" if it has its own."""

    kind: str
    pipeline: str = ""


class Datasets(Protocol):
    """The datasets of a state, as statements need them."""

    def make(self, text: str, name: Name, place: Namespace, settings: Mapping[str, str]) -> None:
        """Create the dataset *name* as *text* defines it, or change its definition, and update its contents.

        *place* has the current catalog and schema; *settings* apply to the query, now and in each refresh.
        """

    def refresh(self, name: Name, *, full: bool) -> None:
        """Update the dataset *name*; *full*: compute it from scratch."""

    def forget(self, name: Name) -> None:
        """Forget the dataset *name*, whose table is dropped."""

    def owner(self, name: Name) -> Owner | None:
        """The owner of the dataset *name*: itself, or a pipeline of a bundle; None if there is no such dataset."""

    def has_own(self, name: Name) -> bool:
        """Is *name* a standalone dataset? This is asked of every table that is dropped, and reads no memory."""


def dataset_statement(statement: Statement, datasets: Datasets | None, place: Namespace) -> str | None:
    """What Spark runs instead of a statement about a streaming table or a materialized view; None for any other.

    *datasets* is None if there can be none: on a server elsewhere, and inside a foreachBatch function.

    Raises:
        DialectError: the statement is not possible.
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
    after = at + 2 * len(parts) - 1  # behind the name
    return _alter(statement, after) if first == "ALTER" else _refresh(statement, datasets, name, owner, after)


def _create(statement: Statement, datasets: Datasets, place: Namespace, at: int, kind: str) -> str:
    at, if_not_exists = statement.skip(at, "IF NOT EXISTS")
    name = _name(statement, statement.named(at))
    exists, owner = _exists(statement, name), datasets.owner(name)
    if exists and statement.word(1) != "OR":
        if if_not_exists:
            return NOTHING
        way = "CREATE OR REPLACE" if kind == VIEW else "CREATE OR REFRESH"
        raise DialectError(
            f"[TABLE_OR_VIEW_ALREADY_EXISTS] {statement.where}: `{'.'.join(name)}` exists already. "
            f"Write {way}, or IF NOT EXISTS."
        )
    if owner and owner.pipeline:
        raise DialectError(_belongs(statement, name, owner))
    if owner and not exists:
        datasets.forget(name)
    settings = {key: row["value"] for key in _SETTINGS for row in statement.run(f"SET {key}")}
    datasets.make(statement.sql, name, place, settings)
    return NOTHING


def _refresh(statement: Statement, datasets: Datasets, name: Name, owner: Owner, after: int) -> str:
    """Refresh the dataset *name*; *after* is the token behind its name."""
    if owner.pipeline:
        raise DialectError(_belongs(statement, name, owner))
    if statement.has("WHERE"):
        raise DialectError(f"{statement.where}: WHERE has no counterpart on this machine. Refresh the whole table.")
    datasets.refresh(name, full=statement.word(after) == "FULL")
    return NOTHING


def _drop(datasets: Datasets, name: Name, parts: Sequence[str]) -> str:
    """Forget the dataset *name*, and return the statement that drops its table."""
    datasets.forget(name)
    return f"DROP TABLE IF EXISTS {join_name(parts)}"


def _alter(statement: Statement, after: int) -> str:
    if {"SCHEDULE", "TRIGGER"} & set(statement.words[after : after + 2]):  # behind ADD, ALTER or DROP
        return statement.note("nothing is refreshed by itself on this machine; use REFRESH")
    return apply(statement.sql, [Edit(statement.tokens[1].start, statement.tokens[2].end, "TABLE")])


def _of_any_table(statement: Statement, datasets: Datasets) -> str | None:
    """`REFRESH TABLE` and `DROP TABLE|VIEW` of a dataset that has its own pipeline."""
    if statement.words[0] == "ALTER" or statement.words[1:2] not in (["TABLE"], ["VIEW"]):
        return None
    at, _ = statement.skip(2, "IF EXISTS")
    parts = statement.name(at)
    if not parts:
        return None
    name = _name(statement, parts)
    if not datasets.has_own(name) or not _exists(statement, name):
        return None
    if statement.words[0] == "DROP":
        return _drop(datasets, name, parts)
    owner = datasets.owner(name)
    return _refresh(statement, datasets, name, owner, at + 2 * len(parts) - 1) if owner else None


def _found(statement: Statement, datasets: Datasets, name: Name, kind: str) -> Owner:
    """The owner of the dataset *name*, which must exist and be of *kind*."""
    owner = datasets.owner(name)
    if owner is None or not _exists(statement, name):
        raise DialectError(
            f"[TABLE_OR_VIEW_NOT_FOUND] {statement.where}: found no {kind.lower()} `{'.'.join(name)}`. Create it first."
        )
    if owner.kind != kind:
        raise DialectError(
            f"{statement.where}: found `{'.'.join(name)}`, a {owner.kind.lower()}; expected a {kind.lower()}. "
            f"Write {owner.kind} instead."
        )
    return owner


def _needed(statement: Statement, datasets: Datasets | None) -> Datasets:
    if statement.in_script:
        raise DialectError(
            f"{statement.where}: this starts an update, which a script cannot. Run it before the script."
        )
    if datasets is None:
        raise DialectError(
            f"{statement.where}: streaming tables and materialized views can only be created on the local server, and "
            "not inside a foreachBatch function. Use CREATE TABLE or CREATE VIEW instead."
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
