"""What is asked of a table of Delta, without one: an analysis answers, or refuses."""

import pytest
from pyspark.errors import AnalysisException

from lakehouse.errors import PlaceError
from lakehouse.tables.delta import newest_version, version_of


class Refusing:
    """A `spark` that refuses to read any version of any table, by *condition*; *latest* is the newest that it names."""

    def __init__(self, condition: str, latest: str = "") -> None:
        self.read = self
        parameters = {"latest": latest} if latest else {}
        self.error = AnalysisException("refused", errorClass=condition, messageParameters=parameters)

    def option(self, name: str, value: object) -> "Refusing":
        return self

    def table(self, name: str) -> "Refusing":
        return self

    @property
    def schema(self) -> object:
        raise self.error


def test_the_refusal_names_the_newest_version():
    """It starts no job of Spark."""
    spark = Refusing("DELTA_VERSION_NOT_FOUND", latest="7")

    assert (newest_version(spark, "bronze.bronze_orders"), version_of(spark, "bronze.bronze_orders")) == (7, 7)


def test_a_table_that_was_dropped_while_it_was_loaded_is_told():
    """Its version would be remembered as unknown otherwise, and the next run would compare numbers with nothing."""
    spark = Refusing("TABLE_OR_VIEW_NOT_FOUND")

    with pytest.raises(PlaceError, match=r"`bronze\.bronze_orders`: found no such table any more") as raised:
        version_of(spark, "bronze.bronze_orders")

    assert raised.value.table == "bronze.bronze_orders"
