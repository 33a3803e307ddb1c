"""Which Spark client this Python environment has: pyspark, or databricks-connect, which is another `pyspark`."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from lakelocal.errors import SetupError
from lakelocal.program import OTHER_CLIENT

PYSPARK, DATABRICKS = "pyspark", "databricks-connect"


@dataclass(frozen=True)
class Client:
    """An installed client; *python* is the version that it requires, such as `==3.12.*`."""

    name: str
    version: str
    python: str


def installed() -> dict[str, Client]:
    """The clients in this environment by name; there should be exactly one."""
    found = {}
    for name in (PYSPARK, DATABRICKS):
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = Client(name, about["Version"], about["Requires-Python"] or "")
    return found


def check_client(
    wanted: str | None,
    purpose: str,
    *,
    found: Mapping[str, Client] | None = None,
    python: str = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}",
) -> None:
    """Make sure that this environment has one client, the *wanted* one (None: either), and the Python that it requires.

    Args:
        purpose: What the client is needed for, as the message says it.
        found, python: The clients and the Python version of an environment other than this one.

    Raises:
        SetupError: it does not; the message says which environment to use, or how to repair this one.
    """
    from packaging.specifiers import SpecifierSet

    found = installed() if found is None else found
    here = f"`{sys.prefix}`"
    if len(found) > 1:
        names = " and ".join(f"{each.name} {each.version}" for each in found.values())
        raise SetupError(
            f"{here}: found {names}, which both own the package `pyspark` and break each other; expected one of them. "
            "Delete the environment's folder, then create it again."
        )
    client = next(iter(found.values()), None)
    if client is None or wanted not in (None, client.name):
        there = f"{client.name} {client.version}" if client else "neither pyspark nor databricks-connect"
        way_on = OTHER_CLIENT[wanted or PYSPARK]
        raise SetupError(f"{here}: found {there}; expected {wanted or 'one of them'} for {purpose}. {way_on}.")
    if python not in SpecifierSet(client.python):
        raise SetupError(
            f"{here}: found Python {python}; expected {client.python}, as {client.name} {client.version} requires. "
            "Delete the environment's folder, then create it again with that Python."
        )
