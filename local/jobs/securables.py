"""Creates the schemas and volumes of a bundle before a job of it runs, as a deployment would have."""

from collections.abc import Callable

from local.bundle import Bundle
from local.bundle.securables import Securable
from local.project import State


def create_securables(bundle: Bundle, state: State, note: Callable[[str], None]) -> None:
    """Create those that are declared and absent; *note* is told which, and which belong to another catalog.

    Raises:
        ServerError: a schema is needed and the server does not start.
    """
    absent = []
    for securable in bundle.securables:
        if securable.catalog.lower() != state.catalog.lower():
            note(
                f"not created locally: `resources.{securable.key}`, {securable}: this run's catalog is {state.catalog}"
            )
        elif not _exists(state, securable):
            absent.append(securable)
    _create_schemas(state, sorted({each.schema for each in absent if each.volume is None}))
    for securable in absent:
        if securable.volume is not None:
            (state.volumes / securable.schema / securable.volume).mkdir(parents=True, exist_ok=True)
    if absent:
        note(f"created, as the bundle declares: {', '.join(map(str, absent))}")


def _exists(state: State, securable: Securable) -> bool:
    if securable.volume is not None:
        return (state.volumes / securable.schema / securable.volume).is_dir()
    return (state.warehouse / f"{securable.schema.lower()}.db").is_dir()


def _create_schemas(state: State, names: list[str]) -> None:
    if not names:
        return
    from local.kernel.session import open_session  # imports Spark: only where a schema is missing

    spark = open_session(state)
    try:
        for name in names:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{name.replace('`', '``')}`").collect()
    finally:
        spark.stop()
