"""Settings of a session whose values are paths: Spark gets the path of this machine, a notebook sees its own.

`spark.conf.set` and a session's builder send them in a request of their own, SQL as `SET key = value`. In a setting of
the user's own a path is text, which `${key}` puts into statements: that is left as it is.
"""

from copy import deepcopy
from pathlib import Path

import pyspark.sql.connect.proto as proto

from lakelocal.dialect import server as ask
from lakelocal.dialect.statement import Statement, rows_of
from lakelocal.dialect.volumes import Volumes
from lakelocal.paths import DatabricksPaths

PATH_SETTINGS = frozenset({"spark.sql.streaming.checkpointLocation"})


def translate_settings(request: proto.ConfigRequest, volumes: Volumes) -> proto.ConfigRequest:
    """*request* with the paths in the settings that it makes on this machine; *request* itself is not changed."""
    if not any(pair.key in PATH_SETTINGS for pair in request.operation.set.pairs):
        return request
    rewritten = deepcopy(request)
    for pair in rewritten.operation.set.pairs:
        if pair.key in PATH_SETTINGS:
            pair.value = volumes.translate(pair.value, writes=True)
    return rewritten


def show_settings(answer: proto.ConfigResponse, paths: DatabricksPaths) -> None:
    """Let the settings in *answer* have the paths that a notebook uses, in place."""
    for pair in answer.pairs:
        if pair.key in PATH_SETTINGS and pair.HasField("value"):
            pair.value = _shown(pair.value, paths)


def set_path(statement: Statement, volumes: Volumes) -> str | None:
    """`SET key` and `SET key = path` for a setting that is a path; None for another statement.

    Spark takes what follows `=` as it is written.
    """
    key = ".".join(statement.name(1))
    if key not in PATH_SETTINGS:
        return None
    equals = next((token for token in statement.tokens if token.text == "="), None)
    if equals is None:
        value = ask.run(statement.server, f"SET {key}")[0]["value"]
        return rows_of(["key", "value"], [(key, _shown(value, volumes.paths))])
    written = statement.sql[equals.end : statement.tokens[-1].end].strip()
    path = volumes.translate(written.strip("`"), writes=True)
    ask.run(statement.server, f"SET {key} = {path}")
    return rows_of(["key", "value"], [(key, written)])


def _shown(path: str, paths: DatabricksPaths) -> str:
    """*path* as a notebook writes it, if it is in the state."""
    shown = paths.to_databricks(Path(path))
    return path if shown == f"file:{path}" else shown
