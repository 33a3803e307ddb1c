"""Valid rows, in both pipelines: text becomes typed rows, and each row is checked against the rules of its contract.

A row that breaks a DROP rule goes to `quarantine_<table>`, as text and with the reason; all others go to
`valid_<table>`, which only this pipeline sees. So the rows that the expectations of an update drop are those that it
adds to quarantine. A rule that involves several rows, such as `duplicate_key`, cannot be an expectation.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame

from lakehouse.layers import expectations
from lakehouse.layers.checking import Checked, check_rows
from lakehouse.layers.product_categories import english_names
from lakehouse.tables.contracts import Contract, typed_tables

FEEDS = spark.conf.get("lakehouse.feeds") == "true"


def checked(contract: Contract) -> Checked:
    """The new lines of bronze, typed and checked."""
    (source,) = contract.reads
    return check_rows(spark.readStream.table(source), contract, english_names())


def valid(contract: Contract) -> None:
    """The view of all rows with the expectations, and the table of those that no expectation dropped."""

    @dp.temporary_view(name=f"checked_{contract.name}")
    @dp.expect_all_or_drop(expectations.that_drop(contract))
    @dp.expect_all(expectations.that_warn(contract))
    def rows() -> DataFrame:
        return checked(contract).rows

    @dp.table(name=f"valid_{contract.name}", private=True)
    def kept() -> DataFrame:
        return spark.readStream.table(f"checked_{contract.name}").select(*contract.column_names)


def quarantine(contract: Contract) -> None:
    """The table of the other rows: each with the first rule that it breaks."""

    @dp.table(name=f"quarantine_{contract.name}", comment=f"Rows of {contract.name} that break a rule, as text")
    def broken() -> DataFrame:
        return checked(contract).broken


for table in typed_tables(feeds=FEEDS):
    valid(table)
    quarantine(table)
