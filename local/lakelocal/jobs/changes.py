"""Which tables a recorded run changed, with the runs below it."""

from lakelocal.compute import state_warehouse
from lakelocal.history.reading import History
from lakelocal.history.records import now_ms
from lakelocal.jobs.tables import Commits, TableChange, table_changes
from lakelocal.project import State


def changes_of(run_id: int, history: History, state: State) -> list[TableChange]:
    """The tables of *state*, by name, with what the run changed in them; none if this machine does not see them.

    Of a run whose commits do not name it, because it was recorded by an older version, they are all during its time.

    Raises:
        UnknownRunError: there is no such run.
    """
    run = history.run(run_id)
    tables = state_warehouse.tables_folder(state)
    if tables is None:
        return []
    runs = history.family(run_id) if run.signs_commits else None
    return table_changes(tables, Commits(run.start_time, run.end_time or now_ms(), runs))
