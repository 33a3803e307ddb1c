"""Requests that the dialect itself sends to the server, before a request of the user and in the same session."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow
import pyspark.sql.connect.proto as proto

from lakelocal.sql.writing import literal


class Server(Protocol):
    """The server of a request, as the dialect uses it."""

    def rows(self, plan: proto.Plan) -> list[dict[str, Any]]:
        """Run *plan*, a query or a statement, and return its rows."""

    def schema(self, plan: proto.Plan) -> proto.DataType.Struct:
        """Run the query *plan*, and return its columns."""


@dataclass(frozen=True)
class Connection:
    """The server that *execute* sends requests to, in the session and with the user of *request*."""

    execute: Callable[[proto.ExecutePlanRequest], Iterable[proto.ExecutePlanResponse]]
    request: proto.ExecutePlanRequest | proto.AnalyzePlanRequest

    def schema(self, plan: proto.Plan) -> proto.DataType.Struct:
        found = [answer.schema.struct for answer in self._answers(plan) if answer.HasField("schema")]
        return found[0]

    def _answers(self, plan: proto.Plan) -> Iterable[proto.ExecutePlanResponse]:
        question = proto.ExecutePlanRequest(
            session_id=self.request.session_id, user_context=self.request.user_context, plan=plan
        )
        return self.execute(question)

    def rows(self, plan: proto.Plan) -> list[dict[str, Any]]:
        found = []
        for answer in self._answers(plan):
            result = answer.sql_command_result.relation.local_relation
            for data in (answer.arrow_batch.data, result.data):
                if data:
                    found += pyarrow.ipc.open_stream(data).read_all().to_pylist()
        return found


def has_schema(server: Server, name: str) -> bool:
    """Does *server* have the schema *name*?"""
    plan = proto.Plan()
    plan.root.catalog.database_exists.db_name = name
    return any(value for row in server.rows(plan) for value in row.values())


def has_table(server: Server, schema: str, name: str) -> bool:
    """Does *server* have the table *name* in *schema*?"""
    plan = proto.Plan()
    plan.root.catalog.table_exists.table_name = name
    plan.root.catalog.table_exists.db_name = schema
    return any(value for row in server.rows(plan) for value in row.values())


def schemas(server: Server, pattern: str) -> list[str]:
    """The schemas of *server* that match *pattern*, sorted."""
    return sorted(next(iter(row.values())) for row in run(server, f"SHOW SCHEMAS LIKE {literal(pattern)}"))


def run(server: Server, sql: str) -> list[dict[str, Any]]:
    """Run the statement *sql*, and return its rows, if it has any."""
    command = proto.SqlCommand(input=proto.Relation(sql=proto.SQL(query=sql)))
    return server.rows(proto.Plan(command=proto.Command(sql_command=command)))


def columns(server: Server, query: str) -> list[proto.DataType.StructField]:
    """The columns of *query*, of which no rows are read."""
    plan = proto.Plan()
    plan.root.limit.input.sql.query = query
    plan.root.limit.limit = 0
    return list(server.schema(plan).fields)


def value(server: Server, expression: str) -> Any:
    """The value of *expression*."""
    plan = proto.Plan()
    plan.root.sql.query = f"SELECT {expression}"
    return next(iter(server.rows(plan)[0].values()))
