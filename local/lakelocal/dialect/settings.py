"""Settings of a session that need translation: paths, and the parameters of Databricks' SQL.

Paths: Spark gets the path on this machine, and a notebook sees its own. `spark.conf.set` and the builder of a session
send them in a separate kind of request, SQL sends `SET key = value`. In the user's own settings, a path is plain text,
which `${key}` puts into statements, and is left as it is.

Parameters: `SET TIMEZONE = ...` changes the setting of Spark with this meaning; Spark itself would only store the name.

Values: `spark.sql.shuffle.partitions = auto` leaves the number of partitions to Databricks; here it stays as it is.

Source: Databricks documentation, "Configuration parameters" of Databricks SQL, "Set Spark configuration properties".
"""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pyspark.sql.connect.proto as proto

from lakelocal.dialect import server as ask
from lakelocal.dialect.statement import Statement, rows_as_sql
from lakelocal.dialect.volumes import Volumes
from lakelocal.paths import DatabricksPaths
from lakelocal.sql.tokens import Token

_PARAMETERS = {
    "ansi_mode": "spark.sql.ansi.enabled",
    "legacy_time_parser_policy": "spark.sql.legacy.timeParserPolicy",
    "max_file_partition_bytes": "spark.sql.files.maxPartitionBytes",
    "timezone": "spark.sql.session.timeZone",
}
# Parameters that change no result.
_WITHOUT_EFFECT = frozenset(
    {"enable_photon", "query_tags", "read_only_external_metastore", "statement_timeout", "use_cached_result"}
)
_CHOSEN_HERE = {"spark.sql.shuffle.partitions": "auto"}  # values that let the platform choose
PATH_SETTINGS = frozenset({"spark.sql.streaming.checkpointLocation"})


def translate_settings(request: proto.ConfigRequest, volumes: Volumes) -> proto.ConfigRequest:
    """*request*, or a copy of it with the settings as Spark takes them.

    Paths are those on this machine, and what Databricks would choose is left out.
    """
    if not any(pair.key in PATH_SETTINGS or is_chosen_here(pair.key, pair.value) for pair in _pairs(request)):
        return request
    rewritten = deepcopy(request)
    kept = [pair for pair in _pairs(request) if not is_chosen_here(pair.key, pair.value)]
    del rewritten.operation.set.pairs[:]
    rewritten.operation.set.pairs.extend(kept)
    for pair in _pairs(rewritten):
        if pair.key in PATH_SETTINGS:
            pair.value = volumes.translate(pair.value, writes=True)
    return rewritten


def _pairs(request: proto.ConfigRequest) -> Sequence[proto.KeyValue]:
    return request.operation.set.pairs


def is_chosen_here(key: str, value: str) -> bool:
    """Does *value* leave it to Databricks to choose the setting *key*?"""
    return _CHOSEN_HERE.get(key) == value.strip().lower()


def show_settings(answer: proto.ConfigResponse, paths: DatabricksPaths) -> None:
    """Put the paths that a notebook uses into the settings in *answer*, in place."""
    for pair in answer.pairs:
        if pair.key in PATH_SETTINGS and pair.HasField("value"):
            pair.value = _shown(pair.value, paths)


def set_parameter(statement: Statement) -> str | None:
    """`SET name` and `SET name = value` for a parameter of Databricks' SQL; None for another statement."""
    parts, tokens = statement.name(1), statement.tokens
    name = parts[0].lower() if len(parts) == 1 else ""
    if len(tokens) > 2 and tokens[2].text != "=":
        return None
    if name in _WITHOUT_EFFECT:
        return statement.note(f"{parts[0]} has no effect on this machine") if len(tokens) > 2 else None
    if name not in _PARAMETERS:
        return None
    setting = _PARAMETERS[name]
    if len(tokens) > 3:
        value = tokens[3].text if len(tokens) == 4 else statement.part(3, len(tokens))
        ask.run(statement.server, f"SET {setting} = {value}")
    value = ask.run(statement.server, f"SET {setting}")[0]["value"]
    return rows_as_sql(["key", "value"], [(parts[0], value)])


def reset_parameter(statement: Statement) -> str | None:
    """`RESET name` for a parameter of Databricks' SQL; None for another statement."""
    parts = statement.name(1)
    setting = _PARAMETERS.get(parts[0].lower()) if len(parts) == 1 else None
    return f"RESET {setting}" if setting else None


def set_path(statement: Statement, volumes: Volumes) -> str | None:
    """`SET key` and `SET key = path` for a setting that is a path; None for another statement.

    Spark uses the text after `=` as it is written.
    """
    key = ".".join(statement.name(1))
    if key not in PATH_SETTINGS:
        return None
    equals = _equals(statement)
    if equals is None:
        value = ask.run(statement.server, f"SET {key}")[0]["value"]
        return rows_as_sql(["key", "value"], [(key, _shown(value, volumes.paths))])
    written = statement.sql[equals.end : statement.tokens[-1].end].strip()
    path = volumes.translate(written.strip("`"), writes=True)
    ask.run(statement.server, f"SET {key} = {path}")
    return rows_as_sql(["key", "value"], [(key, written)])


def leave_to_choose(statement: Statement) -> str | None:
    """`SET key = auto` for a setting that Databricks chooses then: a note; None for another statement."""
    key, equals = ".".join(statement.name(1)), _equals(statement)
    if equals is None or not is_chosen_here(key, statement.sql[equals.end : statement.tokens[-1].end]):
        return None
    return statement.note(f"{key} stays as it is on this machine")


def _equals(statement: Statement) -> Token | None:
    return next((token for token in statement.tokens if token.text == "="), None)


def _shown(path: str, paths: DatabricksPaths) -> str:
    """*path* as a notebook writes it, if it is in the state."""
    shown = paths.to_databricks(Path(path))
    return path if shown == f"file:{path}" else shown
