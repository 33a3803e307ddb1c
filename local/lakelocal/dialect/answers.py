"""Puts the names that the user knows into the server's responses: errors, explained plans, and rows about tables.

Rows of data are never touched. The rows of a statement that describes tables (SHOW, DESCRIBE, EXPLAIN) are written by
the server, and contain its own names.
"""

import re
from collections.abc import Iterable

import pyarrow
import pyspark.sql.connect.proto as proto

from lakelocal.catalogs import PREFIX, SPARK_CATALOG, shown, unmapped
from lakelocal.paths import DatabricksPaths
from lakelocal.plain_words import CAUSE

# The beginnings of messages that only say where an error has occurred.
_ONLY_PLACE = ("[TASK_WRITE_FAILED]", "[FAILED_READ_FILE", "[STREAM_FAILED]", "Job aborted")
# Hadoop's message for a path in cloud storage that it has no driver for.
_NO_STORAGE = re.compile(
    r'No FileSystem for scheme "?\w+|ClassNotFoundException: Class [\w.$]*(?:Azure|S3A|Google|Adl)[\w$]* not found'
)
_USE_A_VOLUME = (
    " [There is no driver for this storage here: put the files into a volume, "
    "/Volumes/<catalog>/<schema>/<volume>/..., and name that.]"
)
_TELLING = ("SHOW", "DESC", "EXPLAIN")


def describes_tables(sql: str) -> bool:
    """Is the result of *sql* about tables, instead of rows from them?"""
    return sql.lstrip().upper().startswith(_TELLING)


def show_error(details: proto.FetchErrorDetailsResponse, paths: DatabricksPaths) -> None:
    """Put the catalogs and paths that the user knows into *details*, which become an exception."""
    own = paths.state.catalog
    _tell_cause(details)
    for error in details.errors:
        error.message = paths.shown(shown(error.message, own))
        if _NO_STORAGE.search(error.message):
            error.message += _USE_A_VOLUME
        parameters = error.spark_throwable.message_parameters
        for key, value in list(parameters.items()):
            parameters[key] = paths.shown(shown(value, own))
        for context in error.spark_throwable.query_contexts:
            context.fragment, context.summary = shown(context.fragment, own), shown(context.summary, own)


def _tell_cause(details: proto.FetchErrorDetailsResponse) -> None:
    """Add the cause to the message of an error that only says where it has occurred; Spark's client omits causes."""
    if not details.errors:
        return
    error = details.errors[details.root_error_idx]
    if not error.message.startswith(_ONLY_PLACE):
        return
    cause, causes = error, []
    while cause.HasField("cause_idx"):
        cause = details.errors[cause.cause_idx]
        causes.append(cause.message.strip())
    if causes:
        with_condition = [each for each in causes if each.startswith("[")]
        error.message = f"{error.message.rstrip()} {CAUSE}{(with_condition or causes)[-1]}"


def show_analysis(answer: proto.AnalyzePlanResponse, own: str) -> None:
    """Put the names that the user knows into an explained plan in *answer*."""
    if answer.HasField("explain"):
        answer.explain.explain_string = shown(answer.explain.explain_string, own)


def show_rows(answer: proto.ExecutePlanResponse, own: str) -> None:
    """Put the names that the user knows into the rows in *answer*, which are those of a statement about tables."""
    relation = answer.sql_command_result.relation.local_relation
    if not relation.data or not (PREFIX.encode() in relation.data or SPARK_CATALOG.encode() in relation.data):
        return
    table = pyarrow.ipc.open_stream(relation.data).read_all()
    texts = [index for index, field in enumerate(table.schema) if pyarrow.types.is_string(field.type)]
    columns = {index: table.column(index).to_pylist() for index in texts}
    catalog = _catalog_in((value for column in columns.values() for value in column if value), own)
    for index, values in columns.items():
        shown_values = [catalog if value == SPARK_CATALOG else value and shown(value, own) for value in values]
        table = table.set_column(
            index, table.schema.field(index), pyarrow.array(shown_values, table.schema.field(index).type)
        )
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    relation.data = sink.getvalue().to_pybytes()


def _catalog_in(texts: Iterable[str], own: str) -> str:
    """The catalog that a response is about: that of its first schema in another catalog, or else the run's own."""
    return next((found[0] for text in texts if (found := unmapped(text))), own)
