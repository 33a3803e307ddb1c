"""A schema in which `apply_changes` and `apply_changes_from_snapshot` are called as their users do."""

import os

from lakehouse.cdc import ChangeCounts, apply_changes, apply_changes_from_snapshot


class Tables:
    """A schema with sources of events and targets."""

    def __init__(self, spark, name: str) -> None:
        os.environ.setdefault("SPARK_CONNECT_MODE_ENABLED", "1")
        self.spark, self.name = spark, name
        spark.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        spark.sql(f"CREATE SCHEMA {name}")

    def source(self, table: str, columns: str, rows: list[tuple] = (), *, feed: bool = True) -> None:
        properties = f"TBLPROPERTIES (delta.enableChangeDataFeed = '{str(feed).lower()}')"
        self.spark.sql(f"CREATE TABLE {self.name}.{table} ({columns}) {properties}")
        if rows:
            self.append(table, columns, rows)

    def append(self, table: str, columns: str, rows: list[tuple]) -> None:
        self.spark.createDataFrame(rows, columns).writeTo(f"{self.name}.{table}").append()

    def apply(self, source: str, target: str, **arguments) -> ChangeCounts:
        return apply_changes(self.spark, source=f"{self.name}.{source}", target=f"{self.name}.{target}", **arguments)

    def snapshots(self, source, target: str, **arguments) -> ChangeCounts:
        source = f"{self.name}.{source}" if isinstance(source, str) else source
        return apply_changes_from_snapshot(self.spark, source=source, target=f"{self.name}.{target}", **arguments)

    def forget(self, *targets: str) -> None:
        """Delete what is known of the progress of *targets*, as if a call had been killed before it wrote that."""
        names = ", ".join(f"'{self.name}.{target}'" for target in targets)
        self.spark.sql(f"DELETE FROM {self.name}.apply_changes_progress WHERE target IN ({names})")

    def rows(self, table: str, columns: str = "*") -> list[tuple]:
        return sorted(
            (tuple(row) for row in self.spark.sql(f"SELECT {columns} FROM {self.name}.{table}").collect()), key=str
        )

    def commits(self, table: str) -> list[str]:
        history = self.spark.sql(f"DESCRIBE HISTORY {self.name}.{table}").collect()
        return [row.operation.split()[0] for row in reversed(history)]
