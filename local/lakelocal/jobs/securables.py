"""Creates the schemas and volumes of a bundle before a job of it runs, as a deployment would have."""

from collections.abc import Callable

from lakelocal.bundle import Bundle
from lakelocal.compute import Compute, state_warehouse
from lakelocal.lakeflow.model import Securable
from lakelocal.project import State
from lakelocal.sql.writing import quoted


def create_securables(bundle: Bundle, compute: Compute, note: Callable[[str], None]) -> None:
    """Create those that are declared and absent; *note* is told which, and which are left alone.

    Raises:
        LocalError: a schema is needed and Spark cannot be used.
    """
    if compute.deploys:
        return  # `databricks bundle deploy` makes them
    state, absent = compute.state, []
    for securable in bundle.securables:
        if securable.catalog.lower() != state.catalog.lower():
            note(
                f"not created locally: `resources.{securable.key}`, {securable}: this run's catalog is {state.catalog}"
            )
        elif not _exists(state, securable):
            absent.append(securable)
    _create_schemas(compute, sorted({each.schema for each in absent if each.volume is None}))
    for securable in absent:
        if securable.volume is not None:
            (state.volumes / securable.schema / securable.volume).mkdir(parents=True, exist_ok=True)
    if absent:
        note(f"created where absent, as the bundle declares: {', '.join(map(str, absent))}")


def _exists(state: State, securable: Securable) -> bool:
    """Is it there? A schema of which this machine does not see the folder may be absent."""
    if securable.volume is not None:
        return (state.volumes / securable.schema / securable.volume).is_dir()
    tables = state_warehouse.tables_folder(state)
    return tables is not None and (tables / f"{securable.schema.lower()}.db").is_dir()


def _create_schemas(compute: Compute, names: list[str]) -> None:
    if not names:
        return
    spark = compute.session()
    try:
        for name in names:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}").collect()
    finally:
        spark.stop()
