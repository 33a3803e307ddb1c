"""Tables with identity and generated columns, which Delta supports but open-source Spark's SQL does not accept.

Delta stores both in the metadata of a column, in the table's log. Delta therefore creates the table without them in a
temporary place, the log is rewritten with them, and the requested table is a clone of that empty table.

Source: Delta's protocol, "Generated Columns", "Identity Columns", "Table Features"; Databricks documentation,
"CREATE TABLE [USING]", "Use identity columns in Delta Lake".
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from lakelocal.dialect.ddl.clone import exists
from lakelocal.dialect.ddl.definition import Column
from lakelocal.dialect.statement import Statement
from lakelocal.errors import DialectError
from lakelocal.sql.writing import quoted

_LOG = "_delta_log/00000000000000000000.json"
_WITH_FEATURES = 7  # the version of the protocol of writers whose features are listed
# The features that each older version of the writer protocol implies without listing them.
_IMPLIED = {
    2: ["appendOnly", "invariants"],
    3: ["checkConstraints"],
    4: ["changeDataFeed", "generatedColumns"],
    5: ["columnMapping"],
    6: ["identityColumns"],
}


def make_generated(
    statement: Statement, columns: Sequence[Column], made: str, name: list[str], clauses: str, location: str
) -> None:
    """Create the table that *statement* asks for.

    Args:
        columns: The columns of the table, some of which are generated.
        made: The statement up to the name of the table, such as `CREATE OR REPLACE TABLE a.t`.
        name: The parts of that name.
        clauses: The columns in parentheses, without what generates them, and the clauses after them.
        location: `LOCATION '...'` as it is written, or nothing.

    Raises:
        DialectError: the type of a column does not fit the values that are generated for it.
    """
    check_generated(statement, columns)
    scratch = statement.names.catalogs.state.folder / "tmp"
    scratch.mkdir(exist_ok=True)
    folder = Path(mkdtemp(prefix="new-table-", dir=scratch))
    try:
        statement.run(f"CREATE TABLE delta.{quoted(str(folder / 'plain'))} {clauses}")
        log = (folder / "plain" / _LOG).read_text(encoding="utf-8")
        (folder / "whole" / _LOG).parent.mkdir(parents=True)
        (folder / "whole" / _LOG).write_text(with_generated(log, columns), encoding="utf-8")
        if "REPLACE" in statement.words[:3] and exists(statement, name):
            # A clone cannot replace rows, and would continue the numbers of earlier identity columns.
            statement.run(f"{made} {clauses} {location}")
        statement.run(f"{made} SHALLOW CLONE delta.{quoted(str(folder / 'whole'))} {location}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_generated(statement: Statement, columns: Sequence[Column]) -> None:
    """Check that identity columns are BIGINT, and that each expression has the type of its column."""
    for column in columns:
        if column.identity and column.type.upper() not in ("BIGINT", "LONG"):
            raise DialectError(
                f"{statement.where}: the identity column `{column.name}` is {column.type}; it has to be BIGINT."
            )
    given = [column for column in columns if column.generated is None]
    values = ", ".join(f"CAST(NULL AS {column.type}) AS {quoted(column.name)}" for column in given)
    for column in columns:
        if column.generated is None:
            continue
        query = f"SELECT {column.generated} AS found, CAST(NULL AS {column.type}) AS expected FROM (SELECT {values})"
        found, expected = statement.columns(query)
        if found.data_type != expected.data_type:
            raise DialectError(
                f"{statement.where}: the column `{column.name}` is {column.type}, and its expression "
                f"`{column.generated}` gives another type. Put it into CAST(... AS {column.type})."
            )


def with_generated(log: str, columns: Sequence[Column]) -> str:
    """The first commit in a table's *log*, with metadata that says how the values of *columns* are generated."""
    return "".join(json.dumps(action) + "\n" for action in _with_generated(log, columns))


def _with_generated(log: str, columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        action = json.loads(line)
        if "metaData" in action:
            schema = json.loads(action["metaData"]["schemaString"])
            by_name = {column.name.lower(): column for column in columns}
            for field in schema["fields"]:
                if column := by_name.get(field["name"].lower()):  # PARTITIONED BY may add columns of its own
                    field["metadata"].update(_metadata(column))
            action["metaData"]["schemaString"] = json.dumps(schema)
        elif "protocol" in action:
            _add_features(action["protocol"], columns)
        yield action


def _metadata(column: Column) -> dict[str, object]:
    if column.generated is not None:
        return {"delta.generationExpression": column.generated}
    if column.identity is None:
        return {}
    return {
        "delta.identity.start": column.identity.start,
        "delta.identity.step": column.identity.step,
        "delta.identity.allowExplicitInsert": column.identity.by_default,
    }


def _add_features(protocol: dict[str, Any], columns: Sequence[Column]) -> None:
    """Add the features that *columns* need to those in *protocol*, in place."""
    version = protocol["minWriterVersion"]
    implied = [name for since, names in _IMPLIED.items() if since <= version < _WITH_FEATURES for name in names]
    needed = ["generatedColumns"] * any(column.generated is not None for column in columns)
    needed += ["identityColumns"] * any(column.identity is not None for column in columns)
    protocol["writerFeatures"] = sorted({*implied, *protocol.get("writerFeatures", []), *needed})
    protocol["minWriterVersion"] = _WITH_FEATURES
