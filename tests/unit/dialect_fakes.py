"""A Spark server as the dialect queries it, without Spark."""

from typing import Any

import pyspark.sql.connect.proto as proto


class Schemas:
    """A server that has the schemas *names*; *statements* are those that it was asked to run."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.statements: list[str] = []
        self.questions = 0

    def rows(self, plan: proto.Plan) -> list[dict[str, Any]]:
        self.questions += 1
        if plan.root.catalog.HasField("database_exists"):
            return [{"value": plan.root.catalog.database_exists.db_name in self.names}]
        if plan.root.catalog.HasField("table_exists"):
            asked = plan.root.catalog.table_exists
            return [{"value": f"{asked.db_name}.{asked.table_name}" in self.names}]
        sql = plan.command.sql_command.input.sql.query
        self.statements.append(sql)
        if sql.startswith("SHOW SCHEMAS LIKE"):
            beginning = sql.split("'")[1].rstrip("*")
            return [{"namespace": name} for name in self.names if name.startswith(beginning)]
        return []

    def schema(self, plan: proto.Plan) -> proto.DataType.Struct:
        raise AssertionError(f"asked for the schema of {plan}")


class Tables:
    """A server with one table: *columns* says of each whether it may be NULL, a query has the columns *query*.

    *answers* are the rows of statements that contain the key; *statements* are those that were run.
    """

    def __init__(
        self,
        columns: dict[str, bool] | None = None,
        properties: dict[str, str] | None = None,
        query: list[str] | None = None,
        answers: dict[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        self.columns, self.properties, self.query = columns or {}, properties or {}, query or []
        self.answers = answers or {}
        self.statements: list[str] = []

    def rows(self, plan: proto.Plan) -> list[dict[str, Any]]:
        sql = plan.command.sql_command.input.sql.query or plan.root.sql.query
        if sql.startswith("SHOW TBLPROPERTIES"):
            return [{"key": key, "value": value} for key, value in self.properties.items()]
        self.statements.append(sql)
        return next((rows for part, rows in self.answers.items() if part in sql), [])

    def schema(self, plan: proto.Plan) -> proto.DataType.Struct:
        of_table = plan.root.limit.input.sql.query.startswith("SELECT * FROM ")
        columns = self.columns if of_table else dict.fromkeys(self.query, True)
        fields = [proto.DataType.StructField(name=name, nullable=nullable) for name, nullable in columns.items()]
        return proto.DataType.Struct(fields=fields)
