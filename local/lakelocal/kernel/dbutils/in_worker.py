"""`dbutils` inside a function that Spark runs in a worker.

A foreachBatch function has `dbutils.fs`. It cannot read widgets, as Databricks documents, nor, on this machine,
secrets, since what it prints goes to the server's log. A function that processes rows has no `dbutils` at all.

Source: Databricks documentation, "Use foreachBatch to write to arbitrary data sinks".
"""

from typing import Any

from lakelocal.compute import in_worker
from lakelocal.compute.surroundings import Surroundings
from lakelocal.compute.worker_modules import Absent
from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.fs import FileSystem


class BatchUtilities:
    """The `dbutils` of a foreachBatch function."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.fs = FileSystem(lambda: surroundings.state)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise DbutilsError(
            f"`dbutils.{name}` does not exist inside foreachBatch. Call it in the notebook, and let the function use "
            "its result."
        )


def utilities() -> Any:
    """What a pickled `dbutils` becomes in a worker."""
    surroundings = in_worker.surroundings_of_batch()
    if surroundings is not None:
        return BatchUtilities(surroundings)
    return Absent(
        DbutilsError(
            "`dbutils` cannot be used inside a function that Spark runs for rows, neither here nor on Databricks. Call "
            "it in the notebook, and let the function use its result."
        )
    )
