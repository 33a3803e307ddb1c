"""Tables as described by their logs, without Spark; their first rows and the reasons of refused rows, with Spark."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.catalogs import SAMPLES
from lakelocal.compute import state_warehouse
from lakelocal.jobs.tables import name_of
from lakelocal.pages.links import ToPages
from lakelocal.pages.tables import TableLine, TableView, table_lines, table_view
from lakelocal.project import State
from lakelocal.quarantine import is_quarantine, reason_columns
from lakelocal.sql.writing import quoted
from lakelocal.workspace.errors import not_there
from lakelocal.workspace.site.answers import Visit, html, page
from lakelocal.workspace.statements import FETCHED_LIMIT

ROWS = 100


def routes() -> list[BaseRoute]:
    """The pages of this module."""
    return [
        page("/tables", show_list),
        page("/tables/{catalog}/{table}", show),
        page("/tables/{catalog}/{table}/rows", show_rows),
        page("/tables/{catalog}/{table}/reasons", show_reasons),
    ]


def show_list(visit: Visit) -> Response:
    """The Delta tables of all catalogs, by schema; those that contain refused rows are highlighted."""
    catalogs = []
    for state in visit.workspace.catalogs.states():
        lines = table_lines(_logs(state))
        groups = [(schema, list(each)) for schema, each in groupby(lines, key=attrgetter("schema"))]
        catalogs.append((state.catalog, groups, [line for line in lines if _has_refused(line)]))
    return html(visit, "tables.html", title="Tables", catalogs=catalogs)


def show(visit: Visit) -> Response:
    """One table."""
    state, view = _found(visit)
    return html(
        visit,
        "table.html",
        title=view.name,
        table=view,
        catalog=state.catalog,
        own=f"/tables/{state.catalog}/{quote(view.name)}",
        reasons=_reasons(view),
        is_up=state.server_file.exists(),
    )


def show_rows(visit: Visit) -> Response:
    """The first rows of a table."""
    state, view = _found(visit)
    return _answered(visit, state, view, "first rows", f"SELECT * FROM {_name(view)} LIMIT {ROWS}")


def show_reasons(visit: Visit) -> Response:
    """How many rows were refused for which reason, with an example of the other columns that describe the reason."""
    state, view = _found(visit)
    reasons = _reasons(view)
    if not reasons:
        raise not_there(f"`{view.name}` has no column with the reason why a row was refused.")
    first, *others = (quoted(each) for each in reasons)
    examples = "".join(f", min({each}) AS {each}" for each in others)
    counted = f"SELECT {first}, count(*) AS `rows`{examples} FROM {_name(view)} GROUP BY 1 ORDER BY 2 DESC LIMIT {ROWS}"
    return _answered(visit, state, view, "reasons", counted)


def _answered(visit: Visit, state: State, view: TableView, what: str, statement: str) -> Response:
    from lakelocal.kernel.table import to_text  # Spark's client is slow to import, and other pages do without
    from lakelocal.queries import rows_of, select

    columns, found = select(visit.workspace.sessions.shared(state), statement, most_bytes=FETCHED_LIMIT)
    rows = [[None if value is None else to_text(value) for value in row] for row in rows_of(found)]
    return html(
        visit,
        "rows.html",
        title=f"{view.name}: {what}",
        back=f"/tables/{state.catalog}/{quote(view.name)}",
        columns=columns,
        found=rows,
        catalog=state.catalog,
        statement=statement,
    )


def _reasons(view: TableView) -> list[str]:
    return reason_columns(column.name for column in view.metadata.columns) if is_quarantine(view.name) else []


def _has_refused(line: TableLine) -> bool:
    return is_quarantine(line.name) and bool(line.rows)


def _name(view: TableView) -> str:
    return ".".join(quoted(part) for part in view.name.split("."))


def _found(visit: Visit) -> tuple[State, TableView]:
    """The state and the table that the path names.

    Raises:
        ApiError: there is no such table.
    """
    state = visit.workspace.catalogs.get(visit.ids["catalog"])
    wanted = visit.ids["table"]
    log = next((log for log in _logs(state) if name_of(log.parent) == wanted), None)
    offset = visit.workspace.numbers.offset(state.catalog)
    view = table_view(log, visit.workspace.numbers.history(state), ToPages(offset)) if log else None
    if view is None:
        raise not_there(f"Catalog `{state.catalog}` has no Delta table `{wanted[:120]}`. Views are listed by SQL.")
    return state, view


def _logs(state: State) -> Iterator[Path]:
    """The logs of the tables of *state*, without sample data; none if this machine has no access to them."""
    folder = state_warehouse.tables_folder(state)
    for log in sorted(folder.glob("*.db/*/_delta_log")) if folder else ():
        if not name_of(log.parent).startswith(f"{SAMPLES}."):
            yield log
