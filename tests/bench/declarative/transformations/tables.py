"""The main pipeline for Spark's own engine, from the contracts, rules and queries that notebooks/pipelines has too.

That engine has neither Auto Loader nor expectations: Spark's file source stands for the one, and rows that break a rule
are left out without a trace. Nothing is counted, and there is no quarantine.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession

from lakehouse.layers.checking import check_rows
from lakehouse.layers.landing import file_columns
from lakehouse.layers.product_categories import english_names
from lakehouse.layers.reading import CSV_OPTIONS, LINEAGE
from lakehouse.layers.silver import one_row_per_key
from lakehouse.tables.contracts import Contract, find_contracts, landed_tables, load_query, silver_tables, typed_tables
from lakehouse.tables.delta import as_contract

spark = SparkSession.active()
FILES = spark.conf.get("olist.files")


def bronze(contract: Contract) -> None:
    """A streaming table of the lines of the files."""

    @dp.table(name=contract.name, comment=contract.grain)
    def lines() -> DataFrame:
        folder, brought = f"{FILES}/{contract.folder}", file_columns(contract)
        files = spark.readStream.format("csv").options(**CSV_OPTIONS, maxFileAge="36500d")
        rows = files.schema(", ".join(f"`{name}` STRING" for name in brought)).load(folder)
        return rows.selectExpr(*brought, *(f"{sql.format(folder=folder)} AS {name}" for name, sql in LINEAGE.items()))


def entity(contract: Contract) -> None:
    """A materialized view of the valid rows, one a key."""

    @dp.materialized_view(name=contract.name, comment=contract.grain)
    def rows() -> DataFrame:
        (source,) = contract.reads
        valid = check_rows(spark.read.table(source), contract, english_names()).valid
        return as_contract(one_row_per_key(valid, contract), contract)


def queried(contract: Contract) -> None:
    """A materialized view that its query makes from others."""

    @dp.materialized_view(name=contract.name, comment=contract.grain)
    def rows() -> DataFrame:
        return as_contract(spark.sql(load_query(contract.name)), contract)


entities = typed_tables()
for table in landed_tables(feeds=False):
    bronze(table)
for table in [*silver_tables(), *find_contracts("gold_*")]:
    entity(table) if table in entities else queried(table)
