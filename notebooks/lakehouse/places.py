"""Locations: the configuration beside the notebooks, and the volumes of a catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import PlaceError

if TYPE_CHECKING:  # importing pyspark takes a second, and the generator does not need it
    from pyspark.sql import SparkSession

_MISSING = ("notfound", "not found", "not_found", "does not exist", "no such file")


def config_folder() -> Path:
    """The folder `config` of the project, which is beside `notebooks`, also in a deployed bundle.

    Raises:
        PlaceError: there is no such folder, because only the notebooks were copied.
    """
    folder = Path(__file__).resolve().parents[2] / "config"
    if not folder.is_dir():
        raise PlaceError(
            f"`{folder}`: found no `config` beside `notebooks`; expected tables/*.yml, product_categories.csv. "
            "Deploy or clone the whole project, not the notebooks alone.",
            folder=str(folder),
        )
    return folder


def volume_root(catalog: str) -> str:
    """The volume in which files land: `/Volumes/<catalog>/raw/olist`."""
    return f"/Volumes/{catalog}/raw/olist"


def volume_folder(catalog: str, entity: str) -> str:
    """The folder for the files of *entity*, without a trailing slash; *entity* may be `cdc/customers`."""
    return f"{volume_root(catalog)}/{entity}"


def checkpoint_folder(catalog: str, table: str, generation: str) -> str:
    """The checkpoint of the stream into *table*; a new *generation* starts again from the first file."""
    return f"/Volumes/{catalog}/ops/checkpoints/{table}/{generation}"


def volume_missing(path: str, because: str = "") -> PlaceError:
    """The error for a volume path that does not exist; *because* says why the run could not create it itself."""
    return PlaceError(f"Volume path not found: {path}, run notebooks/00_setup{because and f' ({because})'}", path=path)


def entries_of(dbutils: Any, folder: str) -> list[Any] | None:
    """What `dbutils.fs.ls` lists in *folder*; None if there is no such folder."""
    try:
        return list(dbutils.fs.ls(folder))
    except Exception as error:  # each environment raises a different class for a missing path
        told = f"{type(error).__name__} {error}".lower()
        if any(word in told for word in _MISSING):
            return None
        raise


def reach(spark: SparkSession) -> None:
    """Connect to Spark: if it cannot be reached, it says so itself, and not as the reason for something missing."""
    _ = spark.version


def open_catalog(spark: SparkSession, catalog: str) -> None:
    """Use *catalog*, creating it first if it does not exist.

    Raises:
        PlaceError: the catalog can be neither used nor created; the message says what to ask for.
    """
    reach(spark)
    try:
        spark.sql(f"USE CATALOG `{catalog}`")
    except Exception:  # each environment raises a different class
        try:
            # It does not exist, or is not visible: the message of CREATE says which.
            spark.sql(f"CREATE CATALOG IF NOT EXISTS `{catalog}`")
            spark.sql(f"USE CATALOG `{catalog}`")
        except Exception as error:
            raise PlaceError(
                f"Catalog `{catalog}`: found none that you may use, and it could not be created "
                f"({str(error).splitlines()[0]}); expected the catalog, or the privilege CREATE CATALOG and a storage "
                f"location for it. Ask an administrator of the metastore to create `{catalog}` and to grant you "
                "USE CATALOG and CREATE SCHEMA on it, then run this notebook again.",
                catalog=catalog,
            ) from error
