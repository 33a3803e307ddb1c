"""`display` and `displayHTML` of a local kernel.

A Spark DataFrame is shown as a table: at most `ROWS` rows, in the frame's order, with the types of the columns in the
header, visible NULLs, timestamps in UTC, and decimals with their exact digits. So are a pandas DataFrame, a list of
rows or files, and a stream, with the rows that are available. A Matplotlib figure is shown as a picture. Everything
else goes to IPython's own `display`. The output contains nothing random, so that a stored notebook can be compared with
a new run.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

from IPython.display import HTML, publish_display_data
from IPython.display import display as show

from lakelocal.context import current_context
from lakelocal.kernel.figures import figure_of, publish_figure
from lakelocal.kernel.streams import stream_table
from lakelocal.kernel.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

ROWS = 1000
_NOT_IN_ARROW = ("interval", "variant", "geometry", "geography")
_TYPES: dict[type, str] = {
    str: "string", bool: "boolean", int: "bigint", float: "double", Decimal: "decimal", date: "date",
    datetime: "timestamp", bytes: "binary", list: "array", dict: "map",
}  # fmt: skip
_TYPES_OF_PANDAS = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "uint8": "int",
    "uint16": "int", "uint32": "bigint", "uint64": "bigint", "float32": "float", "float64": "double",
}  # fmt: skip
_FILE = ("path", "name", "size", "modificationTime")  # the fields of what `dbutils.fs.ls` returns


def display(*things: object, count: bool = False, **options: Any) -> Any:
    """Show *things*: frames, streams and rows as tables, figures as pictures, anything else as IPython does.

    *count*: also show how many rows a Spark DataFrame has, if it has more than are shown, which takes another
    statement. In an interactive notebook, the number is always shown for a stored table, since Delta knows it.
    *options* are IPython's; those of Databricks for streams (`streamName`, `checkpointLocation`, ...) have no effect.
    """
    shown = None
    for thing in things:
        if is_frame(thing):
            publish_table(
                stream_table(thing, ROWS, table_of) if thing.isStreaming else _counted(thing, table_of(thing), count)
            )
        elif is_pandas(thing) and len(thing.columns):
            publish_table(table_of_pandas(thing))
        elif table := _rows(thing):
            publish_table(table)
        elif figure := figure_of(thing):
            publish_figure(figure)
        else:
            shown = show(thing, **options)
    return shown


def display_html(html: str) -> None:
    """Show *html* as it is: the `displayHTML` of Databricks' notebooks."""
    show(HTML(html))


def is_frame(thing: object) -> TypeGuard["DataFrame"]:
    """Is *thing* a Spark DataFrame? This does not import Spark."""
    return any(
        kind.__name__ == "DataFrame" and kind.__module__.startswith("pyspark.sql") for kind in type(thing).__mro__
    )


def table_of(frame: "DataFrame", rows: int = ROWS) -> Table:
    """The first *rows* rows of *frame*; one more row is read, to know whether there are more."""
    columns = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
    # Arrow instead of collect(), since its timestamps keep their zone, while a Row has this machine's local time.
    found = _as_arrow_can(frame, columns).limit(rows + 1).toArrow()
    values = [column.to_pylist() for column in found.slice(0, rows).columns]
    return Table(columns, [list(row) for row in zip(*values, strict=True)], more=found.num_rows > rows)


def _as_arrow_can(frame: "DataFrame", columns: list[tuple[str, str]]) -> "DataFrame":
    """*frame* with text in those columns that Arrow has no type for, and with other names, since names may repeat."""
    if not any(word in kind for _, kind in columns for word in _NOT_IN_ARROW):
        return frame
    unique = [f"column_{number}" for number in range(len(columns))]
    wanted = [
        f"CAST({name} AS STRING)" if any(word in kind for word in _NOT_IN_ARROW) else name
        for name, (_, kind) in zip(unique, columns, strict=True)
    ]
    return frame.toDF(*unique).selectExpr(*wanted)


def _counted(frame: "DataFrame", table: Table, asked: bool) -> Table:
    """*table* with the number of rows of *frame*, if that is unknown, and either *asked* for or cheap to get."""
    if table.more and (asked or (_is_whole_table(frame) and current_context() is None)):
        return replace(table, total=frame.count())
    return table


def _is_whole_table(frame: "DataFrame") -> bool:
    """Is *frame* a stored table instead of a query?"""
    plan = getattr(frame, "_plan", None)
    return type(plan).__name__ == "Read" and type(plan).__module__.startswith("pyspark.sql.connect")


def table_of_pandas(frame: "pd.DataFrame") -> Table:
    """The first rows of a pandas DataFrame, and its index unless it only numbers the rows; missing values are NULL."""
    first = frame.iloc[:ROWS]
    index = frame.index
    numbered = type(index).__name__ == "RangeIndex" and index.name is None
    labels: list[tuple[Any, Any]] = (
        [] if numbered else [(name, first.index.get_level_values(at)) for at, name in enumerate(index.names)]
    )
    found = [*labels, *((name, first.iloc[:, at]) for at, name in enumerate(frame.columns))]
    columns, values = [], []
    for name, column in found:
        of_column = [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
        title = ", ".join(map(str, name)) if isinstance(name, tuple) else "" if name is None else str(name)
        columns.append((title, _type_of_pandas(str(column.dtype), of_column)))
        values.append(of_column)
    rows = [list(row) for row in zip(*values, strict=True)] if values else [[] for _ in range(len(first))]
    return Table(columns, rows, more=len(frame) > ROWS, total=len(frame))


def _type_of_pandas(kind: str, values: list[object]) -> str:
    if kind.startswith("datetime64"):
        return "timestamp" if "," in kind else "timestamp_ntz"
    return _TYPES_OF_PANDAS.get(kind.lower()) or _type_of(values)


def is_pandas(thing: object) -> TypeGuard["pd.DataFrame"]:
    """Is *thing* a pandas DataFrame? This does not import pandas."""
    return any(kind.__name__ == "DataFrame" and kind.__module__ == "pandas.core.frame" for kind in type(thing).__mro__)


def _rows(things: object) -> Table | None:
    """The table for a list of rows: Spark's rows, dictionaries, or named tuples as `dbutils.fs.ls` returns them."""
    if not isinstance(things, list) or not things:
        return None
    if all(isinstance(each, dict) for each in things):
        names = list(dict.fromkeys(str(name) for each in things for name in each))
        rows = [[each.get(name) for name in names] for each in things]
    else:
        kinds = {tuple(getattr(each, "_fields", ()) or getattr(each, "__fields__", ())) for each in things}
        if len(kinds) > 1 or not (names := list(next(iter(kinds)))) or not isinstance(things[0], tuple):
            return None
        if tuple(names) == _FILE:
            return files_table(things)
        rows = [list(each) for each in things]
    columns = [(name, _type_of([row[at] for row in rows])) for at, name in enumerate(names)]
    return Table(columns, rows[:ROWS], more=len(rows) > ROWS, total=len(rows))


def files_table(files: "list[Any]") -> Table:
    """The table for what `dbutils.fs.ls` returns, with its modification times (ms since 1970) as times in UTC."""
    columns = list(zip(_FILE, ("string", "string", "bigint", "timestamp"), strict=True))
    rows = [[path, name, size, datetime.fromtimestamp(ms / 1000, UTC)] for path, name, size, ms in files[:ROWS]]
    return Table(columns, rows, more=len(files) > ROWS, total=len(files))


def _type_of(values: list[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) != 1:
        return "string"
    kind = kinds.pop()
    return next((_TYPES[base] for base in kind.__mro__ if base in _TYPES), kind.__name__)


def publish_table(table: Table) -> None:
    """Send *table* to the notebook, as HTML and as text."""
    publish_display_data({"text/html": table.to_html(), "text/plain": table.to_text()})
