"""After a server died: adopts tables that exist on disk but not in the metastore.

A kill in the middle of CREATE TABLE leaves the folder `<warehouse>/<schema>.db/<table>` without an entry in the
metastore, and every later CREATE with that name fails, because the folder is not empty. If the folder has a Delta log
with a commit, the table is complete and is entered again; if not, no table ever existed, and the contents are moved to
`orphans/` in the state folder.
"""

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.project import State

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession


def adopt_tables(state: State, url: str) -> list[str]:
    """Enter the tables that the metastore lacks; return their names, `schema.table`."""
    folders = [
        folder for folder in sorted(state.warehouse.glob("*/*"))
        if folder.is_dir() and (folder.parent.suffix == ".db") and any(folder.iterdir())
    ]  # fmt: skip
    if not folders:
        return []
    spark = _connect(url)
    try:
        known = {name: _tables(spark, name) for name in sorted({folder.parent.stem for folder in folders})}
        adopted = []
        for folder in folders:
            schema = folder.parent.stem
            if folder.name not in known[schema]:
                _adopt(spark, state, schema, folder)
                adopted.append(f"{schema}.{folder.name}")
        return adopted
    finally:
        spark.stop()


def _connect(url: str) -> "SparkSession":
    from pyspark.sql.connect.session import SparkSession  # slow to import, and rarely needed here

    return SparkSession(url)  # not with the builder: it would become this process's active session


def _tables(spark: "SparkSession", schema: str) -> set[str]:
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{schema}`")
    return {row.tableName for row in spark.sql(f"SHOW TABLES IN `{schema}`").collect()}


def _adopt(spark: "SparkSession", state: State, schema: str, folder: Path) -> None:
    if not any((folder / "_delta_log").glob("*.json")):
        orphans = state.folder / "orphans"
        orphans.mkdir(exist_ok=True)
        shutil.move(folder, orphans / f"{schema}.{folder.name}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
        return
    # Delta creates a managed table only in an empty folder: create the entry first, then put the table's files in
    # place.
    aside = folder.with_name(f".{folder.name}.adopting")
    folder.rename(aside)
    spark.sql(f"CREATE TABLE `{schema}`.`{folder.name}` USING delta AS SELECT * FROM delta.`{aside}` LIMIT 0")
    shutil.rmtree(folder)
    aside.rename(folder)
    spark.sql(f"REFRESH TABLE `{schema}`.`{folder.name}`")
