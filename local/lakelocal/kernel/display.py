"""`display` and `displayHTML` of a local kernel.

A Spark DataFrame shows as a table: at most `ROWS` rows, in the frame's order, the columns' types in the header, NULL
visible, timestamps in UTC, decimals with their exact digits. So do a stream, as far as it has come, and a list of rows.
A figure of matplotlib shows as a picture. Everything else goes to IPython's own `display`.
The output holds nothing random, so that a stored notebook can be compared with a new run.
"""

from typing import TYPE_CHECKING, Any, TypeGuard

from IPython.display import HTML, publish_display_data
from IPython.display import display as show

from lakelocal.kernel.figures import figure_of, publish_figure
from lakelocal.kernel.streams import stream_table
from lakelocal.kernel.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROWS = 100
_NOT_IN_ARROW = ("interval", "variant", "geometry", "geography")
_TYPES = {str: "string", bool: "boolean", int: "bigint", float: "double"}


def display(*things: object, **options: Any) -> Any:
    """Show *things*: Spark frames, streams and rows as tables, figures as pictures, anything else as IPython does.

    *options* are IPython's; those of Databricks for streams (`streamName`, `checkpointLocation`, ...) have no effect.
    """
    shown = None
    for thing in things:
        if is_frame(thing):
            publish_table(stream_table(thing, ROWS, table_of) if thing.isStreaming else table_of(thing))
        elif table := _rows(thing):
            publish_table(table)
        elif figure := figure_of(thing):
            publish_figure(figure)
        else:
            shown = show(thing, **options)
    return shown


def display_html(html: str) -> None:
    """Show *html* as it is; `displayHTML` of Databricks' notebooks."""
    show(HTML(html))


def is_frame(thing: object) -> TypeGuard["DataFrame"]:
    """Is *thing* a DataFrame of Spark? Tells without importing Spark."""
    return any(
        kind.__name__ == "DataFrame" and kind.__module__.startswith("pyspark.sql") for kind in type(thing).__mro__
    )


def table_of(frame: "DataFrame", rows: int = ROWS) -> Table:
    """The first *rows* rows of *frame*; reads one more, to know whether there are more."""
    columns = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
    # Arrow, not collect(): its timestamps keep their zone, where Row has the local time of this machine.
    found = _as_arrow_can(frame, columns).limit(rows + 1).toArrow()
    values = [column.to_pylist() for column in found.slice(0, rows).columns]
    return Table(columns, [list(row) for row in zip(*values, strict=True)], more=found.num_rows > rows)


def _as_arrow_can(frame: "DataFrame", columns: list[tuple[str, str]]) -> "DataFrame":
    """*frame* with the columns as text that Arrow has no type for; it renames, names may occur twice."""
    if not any(word in kind for _, kind in columns for word in _NOT_IN_ARROW):
        return frame
    unique = [f"column_{number}" for number in range(len(columns))]
    wanted = [
        f"CAST({name} AS STRING)" if any(word in kind for word in _NOT_IN_ARROW) else name
        for name, (_, kind) in zip(unique, columns, strict=True)
    ]
    return frame.toDF(*unique).selectExpr(*wanted)


def _rows(things: object) -> Table | None:
    """The table of a list of rows (named tuples such as `dbutils.fs.ls` gives, rows of Spark, dictionaries)."""
    if not isinstance(things, list) or not things:
        return None
    if all(isinstance(each, dict) for each in things):
        names = list(dict.fromkeys(str(name) for each in things for name in each))
        rows = [[each.get(name) for name in names] for each in things]
    else:
        kinds = {tuple(getattr(each, "_fields", ()) or getattr(each, "__fields__", ())) for each in things}
        if len(kinds) > 1 or not (names := list(next(iter(kinds)))) or not isinstance(things[0], tuple):
            return None
        rows = [list(each) for each in things]
    columns = [(name, _type_of([row[at] for row in rows])) for at, name in enumerate(names)]
    return Table(columns, rows[:ROWS], more=len(rows) > ROWS)


def _type_of(values: list[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    return _TYPES.get(next(iter(kinds)), next(iter(kinds)).__name__) if len(kinds) == 1 else "string"


def publish_table(table: Table) -> None:
    """Send *table* to the notebook, as HTML and as text."""
    publish_display_data({"text/html": table.to_html(), "text/plain": table.to_text()})
