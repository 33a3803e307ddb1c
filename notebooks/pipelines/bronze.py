"""Bronze, in both pipelines: a streaming table of each folder's files, as text.

Auto Loader reads each file once. Nothing is dropped here; lines that break a rule of the contract are counted. What
20_bronze and 50_cdc_bronze refuse is loaded here: a file whose header lacks a column (its values are NULL), or that is
not UTF-8; and a known file that was written again is not noticed.

Datasets have names without a schema: all are in the schema that `config/pipelines/*.json` gives the pipeline, beside
those of the notebooks. The name of a table says its layer, so one schema is enough.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame

from lakehouse.layers import expectations
from lakehouse.layers.bronze import landed_rows
from lakehouse.tables.contracts import Contract, landed_tables
from lakehouse.tables.delta import described_columns

CATALOG = spark.conf.get("lakehouse.catalog")
FEEDS = spark.conf.get("lakehouse.feeds") == "true"


def lines(contract: Contract) -> None:
    """The table of *contract*: the lines of the files, and where each came from."""

    @dp.table(name=contract.name, comment=contract.grain, schema=described_columns(contract))
    @dp.expect_all(expectations.of_table(contract, "WARN"))
    def rows() -> DataFrame:
        return landed_rows(spark, contract, CATALOG)


for table in landed_tables(feeds=FEEDS):
    lines(table)
