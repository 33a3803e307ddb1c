"""The mechanics that the notebooks of the lakehouse share; the business rules are in the notebooks themselves.

Functions receive `spark` and `dbutils` as arguments and use what every Databricks environment and plain Delta have.
"""

from lakehouse.errors import LakehouseError
from lakehouse.parameters import parameters
from lakehouse.places import config_folder, volume_folder

__all__ = ["LakehouseError", "config_folder", "parameters", "volume_folder"]
