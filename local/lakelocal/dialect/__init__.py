"""Databricks' dialect on open-source Spark: translates the requests of the Spark Connect protocol.

| module        | translates                                                          |
| ------------- | ------------------------------------------------------------------- |
| `interceptor` | each request of a gRPC channel, by `plans`                          |
| `plans`       | the reads, writes, streams and SQL in a plan (found by `walk`)      |
| `expressions` | SQL snippets, `current_catalog()`, `_metadata.file_path`            |
| `catalog`     | `spark.catalog`                                                     |
| `sql`, `scan` | the names, paths and functions in a SQL text, by its tokens         |
| `read_files`  | the table function, which becomes a relation beside the SQL text    |
| `copying`     | COPY INTO                                                           |
| `statements`  | what only Unity Catalog has: USE CATALOG, volumes, grants, tags     |
| `ddl`, `inserts`, `changes` | statements that create, fill and change tables       |
| `immediate`, `identifiers` | EXECUTE IMMEDIATE and IDENTIFIER, by the values of `constants` |
| `scripts`     | `BEGIN ... END`, one statement at a time                            |
| `routines`, `table_functions` | procedures, functions in Python, table functions of a schema |
| `substitution` | `${setting}` in a text                                             |
| `syntax`      | QUALIFY, `column:path`, `table@v1`                                  |
| `delta_api`   | Delta's Python API, whose messages become SQL; `column_sql` for its columns |
| `volumes`     | volumes, which are folders, and the paths in them                   |
| `names`       | the names of tables and schemas in several catalogs                 |
| `preparation` | what has to exist before a request that names it                    |
| `answers`     | the names in the server's responses                                 |

    channel = grpc.intercept_channel(channel, *interceptors(Dialect(state), channel))

The package imports nothing by itself: programs that never start Spark use `names`, and its client is slow to import.
"""
