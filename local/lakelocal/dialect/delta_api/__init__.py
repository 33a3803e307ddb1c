"""Delta's Python API, `from delta.tables import DeltaTable`, through Spark Connect.

Its client packs messages of its own into Spark's, for which the server would need a plugin. All of them can be
expressed in SQL: they are unpacked here and written as statements, which are then translated like all other SQL, so
that any server with Delta understands them.

| module     | what it handles                                                        |
| ---------- | ---------------------------------------------------------------------- |
| `messages` | unpacking the client's messages                                        |
| `tables`   | requests about one table: its history, detail, clones, maintenance     |
| `builder`  | CREATE TABLE, from the builders                                        |
| `changes`  | DELETE, UPDATE and MERGE, whose conditions and values are columns      |

    rewritten = DeltaApi(names, register).command(packed)    # SQL
    rewritten = DeltaApi(names, register).relation(packed)   # a relation of Spark

Source: Delta Lake 4.3 documentation, "Table deletes, updates, and merges", "Table utility commands", and the Python API
reference of `delta.tables`.
"""

from lakelocal.dialect.delta_api.api import DeltaApi

__all__ = ["DeltaApi"]
