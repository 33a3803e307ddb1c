"""Gold of the main pipeline: the reports, as materialized views. A row that breaks a rule fails the update."""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame

from lakehouse.layers import expectations
from lakehouse.tables.contracts import Contract, find_contracts, load_query
from lakehouse.tables.delta import as_contract, described_columns


def report(contract: Contract) -> None:
    """The report of *contract*, by the query beside it."""

    @dp.materialized_view(name=contract.name, comment=contract.grain, schema=described_columns(contract))
    @dp.expect_all_or_fail(expectations.of_table(contract, "FAIL"))
    def rows() -> DataFrame:
        return as_contract(spark.sql(load_query(contract.name)), contract)


for table in find_contracts("gold_*"):
    report(table)
