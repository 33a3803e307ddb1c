"""`DELETE` and `UPDATE` with subqueries, which open-source Delta refuses: each becomes a MERGE.

The source of the MERGE has the rows that the condition selects, together with their new values. It matches a row of the
table if all columns are equal, where NULL equals NULL.

    DELETE FROM t WHERE id IN (SELECT ...)   ->   MERGE INTO t AS `__target` USING (
                                                    SELECT DISTINCT `id` AS `__0` FROM t WHERE id IN (SELECT ...)
                                                  ) AS `__chosen` ON `__target`.`id` <=> `__0` WHEN MATCHED THEN DELETE

Source: Databricks documentation, "DELETE FROM", "UPDATE".
"""

from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import level, split
from lakelocal.sql.writing import quoted

_NOT_COMPARED = frozenset(["map", "variant"])


def rewrite_as_merge(statement: Statement) -> str | None:
    """What Spark runs instead of *statement*; None if it has no subquery, or is neither DELETE nor UPDATE.

    Raises:
        DialectError: rows of the table cannot be compared.
    """
    if "SELECT" not in statement.words:
        return None
    reader = Reader(statement.sql, statement.tokens, 0, len(statement.tokens), statement.where)
    deletes = reader.take("DELETE FROM")
    if not deletes and not reader.take("UPDATE"):
        return None
    start = reader.at
    table = join_name(reader.names())
    places = {statement.words[index]: index for index in reversed(list(level(statement.tokens, reader.at)))}
    where, set_at = places.get("WHERE", len(statement.tokens)), places.get("SET", len(statement.tokens))
    source = statement.part(start, where if deletes else set_at)
    condition = statement.part(where, len(statement.tokens))
    found = statement.columns(f"SELECT * FROM {table}")
    if odd := [column.name for column in found if column.data_type.WhichOneof("kind") in _NOT_COMPARED]:
        raise DialectError(
            f"{statement.where}: found a subquery, and the column `{odd[0]}`, whose type cannot be compared (MAP, "
            "VARIANT). Write a MERGE whose source has the keys of the rows."
        )
    columns = [quoted(column.name) for column in found]
    chosen = [f"{column} AS `__{index}`" for index, column in enumerate(columns)]
    same = " AND ".join(f"`__target`.{column} <=> `__{index}`" for index, column in enumerate(columns))
    action = "DELETE"
    if not deletes:
        targets, values = _assignments(statement, set_at + 1, where)
        chosen += [f"{value} AS `__new_{index}`" for index, value in enumerate(values)]
        action = "UPDATE SET " + ", ".join(f"{target} = `__new_{index}`" for index, target in enumerate(targets))
    return (
        f"MERGE INTO {table} AS `__target` USING (SELECT DISTINCT {', '.join(chosen)} FROM {source} {condition}\n) "
        f"AS `__chosen` ON {same} WHEN MATCHED THEN {action}"
    )


def _assignments(statement: Statement, start: int, end: int) -> tuple[list[str], list[str]]:
    """The columns (without the alias of the table) and the values in `a = 1, t.b = (SELECT ...)`."""
    targets, values = [], []
    for part in split(statement.tokens, start, end):
        equals = next(index for index in level(statement.tokens, part.start) if statement.words[index] == "=")
        column = [token.text for token in statement.tokens[part.start : equals] if token.is_name]
        targets.append(f"`__target`.{quoted(column[-1])}")
        values.append(statement.part(equals + 1, part.stop))
    return targets, values
