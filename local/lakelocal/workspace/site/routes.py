"""All pages; a module with pages needs a line here."""

from starlette.routing import BaseRoute

from lakelocal.workspace.site import jobs, outbox, pipelines, runs, sql, tables


def routes() -> list[BaseRoute]:
    """The pages of the workspace."""
    return [route for module in (runs, jobs, pipelines, tables, sql, outbox) for route in module.routes()]
