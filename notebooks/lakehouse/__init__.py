"""The mechanics that the notebooks of the lakehouse share; the business rules are in the notebooks.

Functions receive `spark` and `dbutils` as arguments and only use what both Databricks and plain Spark with Delta offer.
"""

from lakehouse.errors import LakehouseError
from lakehouse.parameters import parameters
from lakehouse.places import config_folder, volume_folder

__all__ = ["LakehouseError", "config_folder", "parameters", "volume_folder"]
