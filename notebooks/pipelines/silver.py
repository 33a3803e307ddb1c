"""Silver of the main pipeline: one row per key, and orders with what belongs to them.

Materialized views, because each is a function of all valid rows: the latest row of a key wins, and the points of a
postal code prefix become one. How much of that an update computes again is up to the engine.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame

from lakehouse.layers import expectations
from lakehouse.layers.silver import one_row_per_key
from lakehouse.tables.contracts import Contract, load_query, silver_tables, typed_tables
from lakehouse.tables.delta import as_contract, clustered_by, described_columns


def entity(contract: Contract) -> None:
    """The table of *contract*, which is made from one table of bronze."""

    @dp.materialized_view(
        name=contract.name,
        comment=contract.grain,
        schema=described_columns(contract),
        cluster_by=clustered_by(contract),
    )
    def rows() -> DataFrame:
        return as_contract(one_row_per_key(spark.read.table(f"valid_{contract.name}"), contract), contract)


def queried(contract: Contract) -> None:
    """The table of *contract*, which its query makes from other tables of silver."""

    @dp.materialized_view(
        name=contract.name,
        comment=contract.grain,
        schema=described_columns(contract),
        cluster_by=clustered_by(contract),
    )
    @dp.expect_all(expectations.of_table(contract, "WARN"))
    def rows() -> DataFrame:
        return as_contract(spark.sql(load_query(contract.name)), contract)


entities = typed_tables()
for table in silver_tables():
    entity(table) if table in entities else queried(table)
