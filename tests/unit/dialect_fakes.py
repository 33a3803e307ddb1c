"""A server of Spark as the dialect asks it, without Spark."""

from typing import Any

import pyspark.sql.connect.proto as proto


class Schemas:
    """A server that has the schemas *names*; *statements* are those that it was told to run."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.statements: list[str] = []
        self.questions = 0

    def rows(self, plan: proto.Plan) -> list[dict[str, Any]]:
        self.questions += 1
        if plan.root.catalog.HasField("database_exists"):
            return [{"value": plan.root.catalog.database_exists.db_name in self.names}]
        sql = plan.command.sql_command.input.sql.query
        self.statements.append(sql)
        if sql.startswith("SHOW SCHEMAS LIKE"):
            beginning = sql.split("'")[1].rstrip("*")
            return [{"namespace": name} for name in self.names if name.startswith(beginning)]
        return []
