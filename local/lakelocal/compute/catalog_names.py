"""The names of catalogs, schemas, tables, columns and functions of a session, for completion: quickly, or not at all.

Each kind of name is requested once, by a separate thread, and kept until `forget`. The code that needs names waits a
moment for them and uses what is known by then, so that a slow or dead server delays a key press by a fraction of a
second, and the next key press finds the names.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_FRAME, _SESSION = "frame", "session"
FAILED_SECONDS = 10.0  # how long nothing is asked again after a failure


class CatalogNames:
    """See `lakelocal.sql.completion.Names`.

    Args:
        session: Returns the session, or None if it may not be used now, because no server runs. The threads call it.
        patience: How long one completion waits, in s.
    """

    def __init__(self, session: "Callable[[], SparkSession | None]", patience: float) -> None:
        self._session = session
        self._patience = patience
        self._until = 0.0
        self._lock = threading.Lock()
        self._known: dict[object, Sequence[str]] = {}
        self._stale: set[object] = set()
        self._asked: dict[object, threading.Thread] = {}
        self._failed: dict[object, float] = {}

    def begin(self) -> None:
        """Begin a completion: everything that it asks for may together take as long as the patience lasts."""
        self._until = time.monotonic() + self._patience

    def forget(self) -> None:
        """Request names again, since they may have changed; until the answers come, the old names are used."""
        with self._lock:
            self._known = {key: known for key, known in self._known.items() if not _is_of_frame(key)}
            self._stale = set(self._known)
            self._failed.clear()

    def catalogs(self) -> Sequence[str]:
        return self.known("catalogs", lambda spark: _first(spark, "SHOW CATALOGS"))

    def schemas(self, catalog: str = "") -> Sequence[str]:
        where = f" IN `{catalog}`" if catalog else ""
        return self.known(("schemas", catalog), lambda spark: _first(spark, f"SHOW SCHEMAS{where}"))

    def tables(self, schema: str = "") -> Sequence[str]:
        return self.known(("tables", schema), lambda spark: _tables(spark, schema))

    def columns(self, table: str) -> Sequence[str]:
        return self.known(("columns", table), lambda spark: spark.table(table).columns)

    def functions(self) -> Sequence[str]:
        return self.known("functions", lambda spark: [n for n in _first(spark, "SHOW FUNCTIONS") if n[:1].isalpha()])

    def session_facts(self, patience: float) -> Sequence[str]:
        """The version of Spark, the current catalog and schema, as they are now; empty if not known in time."""
        self._until = time.monotonic() + patience
        with self._lock:
            self._known.pop(_SESSION, None)
        return self.known(
            _SESSION, lambda spark: [spark.version, spark.catalog.currentCatalog(), spark.catalog.currentDatabase()]
        )

    def known(self, key: object, ask: "Callable[[SparkSession], Sequence[str]]") -> Sequence[str]:
        """What *ask* gets from the session for *key*; if that takes too long, the last answer, or nothing."""
        if (thread := self._begun(key, ask)) is not None:
            thread.join(max(0.0, self._until - time.monotonic()))
        return self._known.get(key, ())

    def _begun(self, key: object, ask: "Callable[[SparkSession], Sequence[str]]") -> threading.Thread | None:
        """The thread that asks for *key*, started if necessary; None if the answer is known, or has just failed."""
        with self._lock:
            if key in self._known and key not in self._stale:
                return None
            thread = self._asked.get(key)
            if thread is None and time.monotonic() >= self._failed.get(key, 0.0):
                thread = threading.Thread(target=self._ask, args=(key, ask), daemon=True, name="completion")
                self._asked[key] = thread
                thread.start()
            return thread

    def columns_of(self, frame: Any) -> Sequence[str]:
        """The columns of *frame*, which lives at least until `forget`."""
        return self.known((_FRAME, id(frame)), lambda _: frame.columns)

    def _ask(self, key: object, ask: Callable[[Any], Sequence[str]]) -> None:
        try:
            spark = self._session()
            found = list(ask(spark)) if spark is not None else None
        except Exception:  # not reported: a key press is not the place for it, and the next statement will report it
            with self._lock:
                self._failed[key] = time.monotonic() + FAILED_SECONDS
        else:
            with self._lock:
                if found is not None:
                    self._known[key] = found
                    self._stale.discard(key)
        finally:
            with self._lock:
                del self._asked[key]


def _is_of_frame(key: object) -> bool:
    return isinstance(key, tuple) and key[0] == _FRAME


def _first(spark: "SparkSession", statement: str) -> list[str]:
    """The first column of the rows of *statement*."""
    return [str(value) for value in spark.sql(statement).toArrow().column(0).to_pylist()]


def _tables(spark: "SparkSession", schema: str) -> list[str]:
    """The tables of *schema*, without temporary views, which SHOW TABLES lists for every schema."""
    where = " IN " + ".".join(f"`{part}`" for part in schema.split(".")) if schema else ""
    rows = spark.sql(f"SHOW TABLES{where}").toArrow().to_pylist()
    return [row["tableName"] for row in rows if not schema or not row["isTemporary"]]
