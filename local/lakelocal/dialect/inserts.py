"""`INSERT` that evolves the schema, or replaces rows that are selected by columns or by a condition.

Each becomes one MERGE, which is atomic as on Databricks. If rows are only added, its condition never matches. If rows
are replaced, the source has each row twice: once to find the rows that it replaces, which are deleted, and once to be
inserted.

| statement                               | here                                                                |
| --------------------------------------- | ------------------------------------------------------------------- |
| `INSERT WITH SCHEMA EVOLUTION ...`      | MERGE WITH SCHEMA EVOLUTION                                         |
| `INSERT ... REPLACE USING (columns)`    | rows with the same values of the columns are deleted                |
| `INSERT ... REPLACE ON condition`       | rows for which the condition holds are deleted                      |
| `INSERT ... BY NAME REPLACE WHERE ...`  | Spark's own REPLACE WHERE, with the columns in the table's order    |

Source: Databricks documentation, "INSERT".
"""

from dataclasses import dataclass

from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, level
from lakelocal.sql.writing import literal, quoted

_QUERIES = frozenset(["SELECT", "VALUES", "TABLE", "WITH", "FROM", "MAP", "REDUCE"])
_NEW = "`__inserted`"


@dataclass(frozen=True)
class _Insert:
    """The parts of a statement, as SQL texts; *columns* are those that it lists."""

    statement: Statement
    evolves: bool
    overwrites: bool
    table: str
    alias: str
    columns: list[str]
    by_name: bool
    using: list[str]
    on: str
    where: str
    query: str
    source_alias: str


def insert(statement: Statement) -> str | None:
    """What Spark runs instead of *statement*; None if Spark supports that INSERT itself.

    Raises:
        DialectError: the columns of the query do not fit the table.
    """
    found = _read(statement)
    if found is None:
        return None
    own = [column.name for column in statement.columns(f"SELECT * FROM {found.table}")]
    names = _names(found, own, [column.name for column in statement.columns(found.query)])
    source = f"SELECT * FROM ({found.query}\n) AS `__query`({_listed(names)})"
    if found.using or found.on:
        return _replace_matching(found, own, names, source)
    if not found.evolves:
        given = {name.lower() for name in names}
        columns = ", ".join(quoted(name) if name.lower() in given else "NULL" for name in own)
        return f"INSERT INTO {found.table} REPLACE WHERE {found.where} SELECT {columns} FROM ({source})"
    return _evolve(found, source)


def _evolve(found: _Insert, source: str) -> str:
    deleted = ""
    if found.where:
        outside = literal(f"INSERT INTO {found.table}: a row does not fit REPLACE WHERE {found.where}")
        source += f" WHERE CASE WHEN ({found.where}) THEN true ELSE raise_error({outside}) END"
        deleted = f" WHEN NOT MATCHED BY SOURCE AND ({found.where}) THEN DELETE"
    elif found.overwrites:
        deleted = " WHEN NOT MATCHED BY SOURCE THEN DELETE"
    return (
        f"MERGE WITH SCHEMA EVOLUTION INTO {found.table} USING ({source}) ON false "
        f"WHEN NOT MATCHED THEN INSERT *{deleted}"
    )


def _replace_matching(found: _Insert, own: list[str], names: list[str], source: str) -> str:
    target, alias = found.alias or "`__target`", found.source_alias or "`__source`"
    matches = found.on or " AND ".join(f"{target}.{quoted(name)} = {alias}.{quoted(name)}" for name in found.using)
    evolution = "WITH SCHEMA EVOLUTION " if found.evolves else ""
    both = f"SELECT * FROM ({source}) CROSS JOIN (VALUES (true), (false)) AS `__both`({_NEW})"
    values = ", ".join(f"{alias}.{quoted(name)}" for name in names)
    return (
        f"MERGE {evolution}INTO {found.table} AS {target} USING ({both}) AS {alias} "
        f"ON NOT {alias}.{_NEW} AND ({matches}) WHEN MATCHED THEN DELETE "
        f"WHEN NOT MATCHED AND {alias}.{_NEW} THEN INSERT ({_listed(names)}) VALUES ({values})"
    )


def _names(found: _Insert, own: list[str], given: list[str]) -> list[str]:
    """The names of the target columns for the columns of the query, *given*; *own* are the columns of the table."""
    where, table = found.statement.where, found.table
    if found.by_name or found.columns:
        names = found.columns or given
        unknown = [name for name in names if name.lower() not in {each.lower() for each in own}]
        if unknown and not found.evolves:
            raise DialectError(
                f"{where}: found the column `{unknown[0]}`; expected columns of {table}: {_listed(own)}."
            )
    else:
        names = own[: len(given)] + (given[len(own) :] if found.evolves else [])
    if len(names) != len(given) or (not found.by_name and not found.columns and len(given) < len(own)):
        expected = len(found.columns or own)
        raise DialectError(
            f"{where}: found a query with {len(given)} columns; expected {expected} for {table}, whose columns are "
            f"{_listed(own)}."
        )
    return names


def _listed(names: list[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _read(statement: Statement) -> _Insert | None:
    first = next((index for index in level(statement.tokens, 0) if statement.words[index] == "INSERT"), None)
    if first is None:
        return None
    at, evolves = statement.skip(first + 1, "WITH SCHEMA EVOLUTION")
    overwrites = statement.words[at : at + 1] == ["OVERWRITE"]
    at, _ = statement.skip(at + 1, "TABLE")
    name = statement.name(at)
    if not name:
        return None
    at += 2 * len(name) - 1
    alias, at = _alias(statement, at)
    if statement.words[at : at + 1] == ["PARTITION"]:
        if not evolves:
            return None
        raise DialectError(
            f"{statement.where}: WITH SCHEMA EVOLUTION together with PARTITION has no counterpart here; add the "
            "columns of the partition to the query instead."
        )
    columns: list[str] = []
    if statement.word(at) == "(" and statement.word(at + 1) not in _QUERIES:
        end = closing(statement.tokens, at) or at
        columns = [token.text for token in statement.tokens[at + 1 : end] if token.is_name]
        at = end + 1
    at, by_name = statement.skip(at, "BY NAME")
    using: list[str] = []
    on = where = ""
    at, replaces = statement.skip(at, "REPLACE")
    if not evolves and not replaces:
        return None
    how = statement.word(at) if replaces else ""
    if how == "USING":
        end = closing(statement.tokens, at + 1) or at
        using = [token.text for token in statement.tokens[at + 2 : end] if token.is_name]
        at = end + 1
    start = _query_start(statement, at + (how in ("WHERE", "ON")))
    if how == "ON":
        on = statement.part(at + 1, start)
    elif how == "WHERE":
        where = statement.part(at + 1, start)
    if how == "WHERE" and not evolves and not by_name:
        return None
    query, source_alias = _query(statement, start)
    if first:  # WITH comes before INSERT, so the query may refer to its tables
        query = f"{statement.part(0, first)} SELECT * FROM ({query}\n)"
    return _Insert(
        statement, evolves, overwrites, join_name(name), alias, columns, by_name, using, on, where, query, source_alias
    )


def _alias(statement: Statement, at: int) -> tuple[str, int]:
    """The alias of the table at token *at*, and the index at which the statement continues."""
    after, named = statement.skip(at, "AS")
    if not named and (
        after >= len(statement.tokens)
        or not statement.tokens[after].is_name
        or statement.words[after] in _QUERIES | {"BY", "REPLACE", "PARTITION"}
    ):
        return "", at
    return quoted(statement.named(after)[0]), after + 1


def _query_start(statement: Statement, at: int) -> int:
    """The index, from *at* on, at which the query begins: a word that can only begin a query, or its parenthesis."""
    words = statement.words
    for index in level(statement.tokens, at):
        if words[index] in _QUERIES:
            return index
        opened = words[index] == "(" and words[index + 1 : index + 2] and words[index + 1] in _QUERIES
        if opened and words[index - 1] not in ("IN", "EXISTS", "=", "<", ">", "<>", "!=", "<=", ">=", "ANY", "ALL"):
            return index
    raise DialectError(f"{statement.where}: found no query; expected SELECT, VALUES, TABLE or a query in parentheses.")


def _query(statement: Statement, start: int) -> tuple[str, str]:
    """The query that begins at *start*, without parentheses around the whole of it, and the alias after these."""
    end = closing(statement.tokens, start) if statement.words[start] == "(" else None
    if end is None or len(statement.tokens) - end > 3:
        return statement.part(start, len(statement.tokens)), ""
    rest = [token for token in statement.tokens[end + 1 :] if token.word != "AS"]
    if len(rest) > 1 or (rest and not rest[0].is_name):
        return statement.part(start, len(statement.tokens)), ""
    return statement.part(start + 1, end), quoted(rest[0].text) if rest else ""
