"""`from pyspark.sql.functions import *` imports what it imports on Databricks, which exports more than plain Spark.

Source: the list `__all__` of that module in databricks-connect, which also has functions that only Databricks has.
"""

import importlib
import sys
from typing import Any

from lakelocal.imports import when_imported

_FUNCTIONS = "pyspark.sql.functions"
_TYPES = ("ArrayType", "Column", "DataType", "StringType", "StructType")
_OLDER_NAMES = (
    "approxCountDistinct",
    "bitwiseNOT",
    "countDistinct",
    "shiftLeft",
    "shiftRight",
    "shiftRightUnsigned",
    "sumDistinct",
    "toDegrees",
    "toRadians",
)
_LATE = {"DataFrame": "pyspark.sql"}  # not part of the module, which may be imported before it


def provide_functions() -> None:
    """Let the module export these names as soon as it is imported."""
    when_imported(_FUNCTIONS, _export)


def _export() -> None:
    module = sys.modules[_FUNCTIONS]
    exported: list[str] = vars(module)["__all__"]
    exported += [name for name in (*_TYPES, *_OLDER_NAMES, *_LATE) if name not in exported]
    if not hasattr(module, "DataFrame"):
        vars(module)["__getattr__"] = _late


def _late(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module '{_FUNCTIONS}' has no attribute '{name}'")
