"""Creates what of Unity Catalog a bundle names before a job of it runs, as a deployment and its users would have."""

from collections.abc import Callable, Iterable

from lakelocal.bundle import Bundle
from lakelocal.catalogs import Catalogs
from lakelocal.compute import Compute, state_warehouse
from lakelocal.lakeflow.model import Securable
from lakelocal.sql.writing import quoted


def create_catalogs(names: Iterable[str], compute: Compute) -> None:
    """Create those of the catalogs *names* that are absent, unless Spark runs in a workspace."""
    if not compute.deploys:
        catalogs = Catalogs(compute.state)
        for name in names:
            if not catalogs.exists(name):
                catalogs.create(name)


def create_securables(bundle: Bundle, compute: Compute, note: Callable[[str], None]) -> None:
    """Create the schemas and volumes that are declared and absent; *note* reports which.

    Raises:
        LocalError: a schema is needed and Spark cannot be used.
    """
    if absent := _create(bundle.securables, compute):
        note(f"created where absent, as the bundle declares: {', '.join(map(str, absent))}")


def create_named_schemas(schemas: Iterable[Securable], compute: Compute, note: Callable[[str], None]) -> None:
    """The same for *schemas* that variables and parameters only name: on Databricks someone else has created them."""
    if absent := _create(schemas, compute):
        told = ", ".join(f"{each} ({each.key})" for each in absent)
        note(f"created where absent, since a variable or parameter names it: {told}")


def _create(securables: Iterable[Securable], compute: Compute) -> list[Securable]:
    """Create those of *securables* that are absent, and return them."""
    if compute.deploys:
        return []  # `databricks bundle deploy` creates them
    catalogs = Catalogs(compute.state)
    absent = [securable for securable in securables if not _exists(catalogs, securable)]
    create_catalogs((each.catalog for each in absent), compute)
    _create_schemas(compute, sorted({str(each) for each in absent if each.schema and each.volume is None}))
    for securable in absent:
        if securable.schema and securable.volume:
            (catalogs.volumes(securable.catalog) / securable.schema / securable.volume).mkdir(
                parents=True, exist_ok=True
            )
    return absent


def _exists(catalogs: Catalogs, securable: Securable) -> bool:
    """Does *securable* exist? A schema whose folder is not visible from this machine is assumed to be absent."""
    if securable.schema is None:
        return catalogs.exists(securable.catalog)
    if securable.volume is not None:
        return (catalogs.volumes(securable.catalog) / securable.schema / securable.volume).is_dir()
    tables = state_warehouse.tables_folder(catalogs.state)
    schema = catalogs.schema(securable.catalog, securable.schema)
    return tables is not None and (tables / f"{schema.lower()}.db").is_dir()


def _create_schemas(compute: Compute, names: list[str]) -> None:
    if not names:
        return
    spark = compute.session()
    try:
        for name in names:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {'.'.join(map(quoted, name.split('.')))}").collect()
    finally:
        spark.stop()
