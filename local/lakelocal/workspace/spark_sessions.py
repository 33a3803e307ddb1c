"""Sessions on the Spark servers of the catalogs: a shared one per state, and one for each statement.

The server of a state starts when it is first needed. If it does not start or has died, the answer to the request that
needed it says why; a server that is running answers in a second or two.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lakelocal.compute import compute_of
from lakelocal.project import State

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

OWN_SERVER = ""  # the workspace's tables are those of the states' own servers, whatever LOCAL_REMOTE says


class SparkSessions:
    """Sessions for the states of the workspace."""

    def __init__(self) -> None:
        self._kept: dict[State, SparkSession] = {}
        self._making = threading.Lock()

    def shared(self, state: State) -> "SparkSession":
        """The shared session of *state*, for statements that do not change a session."""
        with self._making:
            if state not in self._kept:
                self._kept[state] = self.new(state)
            return self._kept[state]

    @contextmanager
    def own(self, state: State) -> Iterator["SparkSession"]:
        """A session for one statement."""
        session = self.new(state)
        try:
            yield session
        finally:
            session.stop()

    def new(self, state: State) -> "SparkSession":
        """A new session of *state*, which the caller has to end; it connects on first use."""
        return compute_of(state, OWN_SERVER).session()

    def rows(self, state: State, statement: str) -> list[dict[str, Any]]:
        """The rows of *statement*, which must not change the session, as objects.

        Raises:
            LocalError: Spark refuses it, or cannot be used; the message is one line.
        """
        from lakelocal.queries import execute  # Spark's client is slow to import, and many requests do without

        return list(execute(self.shared(state), statement).to_pylist())

    def columns(self, state: State, table: str) -> list[dict[str, Any]]:
        """The columns of a table or view, as `queries.columns` describes them.

        Raises:
            LocalError: it cannot be read, or Spark cannot be used; the message is one line.
        """
        from lakelocal.queries import columns

        return columns(self.shared(state), table)

    def forget(self, state: State) -> None:
        """End the shared session of *state*, whose server is about to be stopped."""
        with self._making:
            session = self._kept.pop(state, None)
        if session:
            session.stop()
