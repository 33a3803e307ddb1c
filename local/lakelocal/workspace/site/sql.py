"""A statement, its rows as a table, and a chart of them. It is executed like one of the SQL Statement Execution API."""

from itertools import chain

from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.errors import UsageError
from lakelocal.pages.chart import chart
from lakelocal.sql.cells import split_statements
from lakelocal.workspace.site.answers import Visit, html, moved, page
from lakelocal.workspace.site.live import live
from lakelocal.workspace.statements import PENDING, RUNNING, Question

ROWS = 1000


def routes() -> list[BaseRoute]:
    """The pages of this module."""
    return [
        page("/sql", show),
        page("/sql", start, "POST"),
        page("/sql/{statement}", show),
        live("/changes/sql/{statement}", show, _looks),
        page("/sql/{statement}/cancel", cancel, "POST"),
    ]


def show(visit: Visit) -> Response:
    """The form, and the statement that was executed last."""
    execution = visit.workspace.statements.get(visit.ids["statement"]) if "statement" in visit.ids else None
    result = execution.result if execution else None
    columns = [(str(each["name"]), str(each["type_text"]).lower()) for each in result.columns] if result else None
    rows = list(chain.from_iterable(each.rows for each in result.chunks)) if result else []
    is_active = execution is not None and execution.state in (PENDING, RUNNING)
    return html(
        visit,
        "sql.html",
        title="SQL",
        catalogs=[state.catalog for state in visit.workspace.catalogs.states()],
        catalog=execution.question.catalog if execution else visit.value("catalog"),
        statement=execution.question.text if execution else visit.value("statement"),
        limit=ROWS,
        execution=execution,
        is_active=is_active,
        columns=columns,
        found=rows,
        is_truncated=result.is_truncated if result else False,
        chart=chart(columns, rows) if columns else None,
        live=f"/changes/sql/{execution.id}" if execution else "",
        stamp="",
    )


def start(visit: Visit) -> Response:
    """Begin to execute a statement."""
    statements = split_statements(visit.value("statement"))
    if len(statements) != 1:
        raise UsageError(f"Found {len(statements) or 'no'} statements; expected one. Run them one after the other.")
    state = visit.workspace.catalogs.get(visit.value("catalog"))
    question = Question(statements[0].text, state, state.catalog, row_limit=ROWS)
    return moved(f"/sql/{visit.workspace.statements.start(question).id}")


def cancel(visit: Visit) -> Response:
    """Cancel a statement."""
    execution = visit.workspace.statements.get(visit.ids["statement"])
    execution.cancel()
    return moved(f"/sql/{execution.id}")


def _looks(visit: Visit) -> object:
    return visit.workspace.statements.get(visit.ids["statement"]).state
