"""Lakeflow Jobs on this machine.

    run = run_job(bundle, "olist_daily_job", state=state, parameters={"run_date": "2018-01-01"})
    run["state"]["result_state"]          # as Jobs API 2.2 `runs/get` shows it
    get_run(state, run["run_id"])
    list_runs(state, limit=10)
    repair_run(bundle, run["run_id"], state=state)
    cancel_run(state, run["run_id"])              # from another process

Reading and checking (`local.bundle`, `checks`), planning (`local.lakeflow`: pure), admitting (`admission`), executing
(`run`, `task`, `kinds`, `launch`, `attempt`), recording (`records`, `shape`), telling (`listener`) and showing
(`views`, `live`, `summary`) are apart.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the names of `_PLACES`, with their types
    from local.jobs.cancel import cancel_run as cancel_run
    from local.jobs.command import RunOptions as RunOptions
    from local.jobs.command import exit_code as exit_code
    from local.jobs.command import get_run as get_run
    from local.jobs.command import list_runs as list_runs
    from local.jobs.command import run_job as run_job
    from local.jobs.listener import Listener as Listener
    from local.jobs.repair import repair_run as repair_run
    from local.jobs.views import Lines as Lines
    from local.jobs.views import Silent as Silent
    from local.jobs.views import View as View

# Imported when it is asked for: each attempt is a process of this package that needs none of it (0.15 s).
_PLACES = {
    "Lines": "views",
    "Listener": "listener",
    "RunOptions": "command",
    "Silent": "views",
    "View": "views",
    "cancel_run": "cancel",
    "exit_code": "command",
    "get_run": "command",
    "list_runs": "command",
    "repair_run": "repair",
    "run_job": "command",
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
