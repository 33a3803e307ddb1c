"""Names of tables, views, schemas and functions: `catalog.schema.table` becomes `schema.table`.

A server holds one catalog, whose schemas are those of Spark's own `spark_catalog` (open-source Spark cannot make
views anywhere else). So the run's catalog is left out of a name, and any other catalog is an error.
"""

from collections.abc import Sequence

from lakelocal.errors import DialectError
from lakelocal.paths import WHICH_CATALOG
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import quoted

# Catalogs of Spark itself, which mean the same here.
SPARK_CATALOGS = frozenset({"spark_catalog", "system"})
FORMATS = frozenset({"avro", "binaryfile", "csv", "delta", "json", "orc", "parquet", "text"})


def split_name(text: str) -> list[str] | None:
    """The parts of a dotted name such as ``a.`b.c` ``; None where *text* is not one."""
    tokens = tokenize(text)
    if not tokens or len(tokens) % 2 == 0:
        return None
    names, dots = tokens[0::2], tokens[1::2]
    if all(name.is_name for name in names) and all(dot.text == "." for dot in dots):
        return [name.text for name in names]
    return None


def join_name(parts: Sequence[str]) -> str:
    """*parts* as a dotted name; each is quoted where it must be."""
    return ".".join(part if part.isidentifier() else quoted(part) for part in parts)


def local_parts(parts: Sequence[str], catalog: str, where: str) -> list[str] | None:
    """The parts of a table's name without the run's catalog; None where the name stays as it is.

    Raises:
        DialectError: the name is in another catalog, or in `information_schema`.
    """
    if len(parts) >= 2 and parts[-2].lower() == "information_schema":
        raise DialectError(
            f"`{join_name(parts)}` in {where}: `information_schema` has no counterpart on this machine. "
            "Use SHOW TABLES, SHOW COLUMNS or DESCRIBE."
        )
    if len(parts) < 3 or parts[0].lower() in SPARK_CATALOGS:
        return None
    if parts[0].lower() == catalog.lower():
        return list(parts[1:])
    raise other_catalog(parts[0], catalog, where)


def local_schema(parts: Sequence[str], catalog: str, where: str) -> list[str] | None:
    """The same for the name of a schema, which has at most two parts."""
    if len(parts) < 2 or parts[0].lower() in SPARK_CATALOGS:
        return None
    if parts[0].lower() == catalog.lower():
        return list(parts[1:])
    raise other_catalog(parts[0], catalog, where)


def other_catalog(found: str, catalog: str, where: str) -> DialectError:
    """The error for a name in the catalog *found*."""
    advice = WHICH_CATALOG
    if found.lower() == "samples":
        advice = "Databricks' sample data are not on this machine: read tables of your own, named by a parameter."
    return DialectError(f"{where}: found the catalog `{found}`; this server holds `{catalog}` only. {advice}")


def shorten(sql: str, limit: int = 100) -> str:
    """*sql* on one line, for an error's text."""
    line = " ".join(sql.split())
    return f"`{line if len(line) <= limit else line[: limit - 3] + '...'}`"
