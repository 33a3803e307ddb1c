"""pyspark and databricks-connect both provide the package `pyspark`: an environment has one of them."""

import pytest

from lakelocal.compute.client import DATABRICKS, PYSPARK, Client, check_client, installed
from lakelocal.errors import SetupError

SPARK = {PYSPARK: Client(PYSPARK, "9.1.1", ">=3.10")}
CONNECT = {DATABRICKS: Client(DATABRICKS, "98.3.7", "==3.12.*")}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(PYSPARK, SPARK), (None, SPARK), (DATABRICKS, CONNECT), (None, CONNECT)],
)
def test_the_right_environment_passes(wanted: str | None, found: dict[str, Client]) -> None:
    """A plain Spark Connect server accepts either client."""
    check_client(wanted, "this", found=found, python="3.12.9")


@pytest.mark.parametrize(
    ("wanted", "found", "python", "said"),
    [
        (DATABRICKS, SPARK, "3.12.1", "found pyspark 9.1.1; expected databricks-connect for this. .*`make run-remote`"),
        (PYSPARK, CONNECT, "3.12.1", "found databricks-connect 98.3.7; expected pyspark for this. .*`make run-local`"),
        (None, {}, "3.12.1", "found neither pyspark nor databricks-connect; expected one of them"),
        (PYSPARK, SPARK | CONNECT, "3.12.1", "found pyspark 9.1.1 and databricks-connect 98.3.7, which both own"),
        (None, CONNECT, "3.11.7", r"found Python 3.11.7; expected ==3.12.\*, as databricks-connect 98.3.7 requires"),
    ],
)
def test_the_wrong_one_is_told_with_what_to_do(
    wanted: str | None, found: dict[str, Client], python: str, said: str
) -> None:
    """The other's name, both versions, and the command that uses or repairs the right environment."""
    with pytest.raises(SetupError, match=said):
        check_client(wanted, "this", found=found, python=python)


def test_this_environment_has_pyspark() -> None:
    """The tests run in the local one."""
    assert set(installed()) == {PYSPARK}
