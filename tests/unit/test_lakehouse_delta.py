"""What is queried from a Delta table, without one: an analysis answers, or refuses."""

import pytest
from pyspark.errors import AnalysisException

from lakehouse.cdc import delta as cdc_delta
from lakehouse.errors import PlaceError
from lakehouse.tables.contracts import load_contract
from lakehouse.tables.delta import among, newest_version, text, version_of


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
    """It starts no Spark job."""
    spark = Refusing("DELTA_VERSION_NOT_FOUND", latest="7")

    assert (newest_version(spark, "bronze.bronze_orders"), version_of(spark, "bronze.bronze_orders")) == (7, 7)


def test_a_table_that_was_dropped_while_it_was_loaded_is_told():
    """Otherwise its version would be recorded as unknown, and the next run would compare numbers with nothing."""
    spark = Refusing("TABLE_OR_VIEW_NOT_FOUND")

    with pytest.raises(PlaceError, match=r"`bronze\.bronze_orders`: found no such table any more") as raised:
        version_of(spark, "bronze.bronze_orders")

    assert raised.value.table == "bronze.bronze_orders"


def test_a_literal_holds_what_it_is_made_of():
    """Quotes and backslashes are escaped, and so is what Spark would replace by a setting."""
    assert text("a'b\\c${d}$e") == cdc_delta.text("a'b\\c${d}$e") == "'a\\'b\\\\c\\u0024{d}\\u0024e'"


def test_keys_are_looked_for_by_their_types():
    """Each column on its own: with two columns, this finds the intended rows, and perhaps more."""
    contract = load_contract("silver_order_items")

    assert among(contract, contract.keys, [["o1", "1"], ["o2", "1"], [None, "2"]]) == (
        "order_id IN ('o1', 'o2') AND order_item_id IN (CAST('1' AS INT), CAST('2' AS INT))"
    )
    assert among(contract, contract.keys, []) == "false"
    assert among(contract, ("order_id",), [[None]]) == "false"
