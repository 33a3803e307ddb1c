"""The notifications of runs."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.notifications.outbox import Outbox
from lakelocal.project import State
from lakelocal.workspace.errors import not_there
from lakelocal.workspace.site.answers import Visit, html, number_of, page

MESSAGES = 50


def routes() -> list[BaseRoute]:
    """The pages of this module."""
    return [page("/outbox", show_list), page("/outbox/{catalog}/{message}", show)]


def show_list(visit: Visit) -> Response:
    """The newest messages of each catalog."""
    limit = number_of(visit.value("limit", str(MESSAGES)), "limit")
    boxes = [(state.catalog, Outbox(state.outbox).entries(limit + 1)) for state, _ in visit.workspace.numbers.states()]
    has_more = any(len(entries) > limit for _, entries in boxes)
    return html(
        visit,
        "outbox.html",
        title="Outbox",
        boxes=[(catalog, entries[:limit]) for catalog, entries in boxes],
        older=visit.with_values(limit=limit + MESSAGES) if has_more else "",
    )


def show(visit: Visit) -> Response:
    """One message."""
    state = state_of(visit)
    entry = Outbox(state.outbox).entry(visit.ids["message"])
    return html(visit, "message.html", title=entry.subject, entry=entry)


def state_of(visit: Visit) -> State:
    """The state of the catalog that the path names.

    Raises:
        ApiError: the catalog has no state.
    """
    for state, _ in visit.workspace.numbers.states():
        if state.catalog == visit.ids["catalog"]:
            return state
    raise not_there(f"Catalog `{visit.ids['catalog'][:80]}` does not exist here.")
