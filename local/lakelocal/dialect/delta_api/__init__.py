"""Delta's Python API, `from delta.tables import DeltaTable`, through Spark Connect.

Its client packs messages of its own into Spark's, for which the server would need a plugin. All that they say can be
said in SQL: so they are opened here and written as statements, which then go the way of all SQL of the dialect, and any
server with Delta understands them.

| module     | what it knows                                                          |
| ---------- | ---------------------------------------------------------------------- |
| `messages` | opening what the client has packed                                     |
| `tables`   | what is said of one table: its history, detail, clones, upkeep         |
| `builder`  | CREATE TABLE, from the builders                                        |
| `changes`  | DELETE, UPDATE and MERGE, whose conditions and values are columns      |

    rewritten = DeltaApi(names, register).command(packed)    # SQL
    rewritten = DeltaApi(names, register).relation(packed)   # a relation of Spark

Source: Delta Lake 4.3 documentation, "Table deletes, updates, and merges", "Table utility commands", and the Python API
reference of `delta.tables`.
"""

from lakelocal.dialect.delta_api.api import DeltaApi

__all__ = ["DeltaApi"]
