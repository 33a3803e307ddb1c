"""Auto Loader (`cloudFiles`) on Spark's own file source.

`relation` builds the plan; `options` reads what the user asked for; `files` and `headers` look at the files that the
stream will read; `layouts`, `csv_rows` and `json_rows` match them with the columns by name; `inference` keeps schemas.
"""

from lakelocal.dialect.autoloader.relation import AutoLoader, Use

__all__ = ["AutoLoader", "Use"]
