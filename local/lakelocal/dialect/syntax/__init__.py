"""Rewrites syntax that open-source Spark does not have, without asking the server.

| module        | turns                                   | into                                               |
| ------------- | --------------------------------------- | -------------------------------------------------- |
| `qualify`     | `SELECT ... QUALIFY condition`          | a filter around the query                          |
| `time_travel` | `table@v1`, `table@20260131000000000`   | `VERSION AS OF`, `TIMESTAMP AS OF`                 |
| `json_paths`  | `column:path` on strings                | `get_json_object`                                  |
| `in_text`     | `IN (SELECT 'text')`                    | `IN (SELECT ALL 'text')`                           |
| `properties`  | `delta.` properties that Delta lacks    | properties below `lakelocal.`                      |
"""

from lakelocal.dialect.syntax.in_text import keep_select_apart
from lakelocal.dialect.syntax.json_paths import read_json_paths
from lakelocal.dialect.syntax.properties import keep_properties
from lakelocal.dialect.syntax.qualify import filter_qualified
from lakelocal.dialect.syntax.time_travel import name_versions


def plain_syntax(sql: str, variants: frozenset[str] = frozenset()) -> str:
    """*sql* in the syntax of open-source Spark; *variants* are the texts of values that are known to be VARIANT."""
    plain = filter_qualified(name_versions(keep_properties(sql)))
    return read_json_paths(keep_select_apart(plain), variants)
