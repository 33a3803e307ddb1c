"""Lakeflow Jobs on this machine.

    run = run_job(bundle, "olist_daily_job", state=state, parameters={"run_date": "2018-01-01"})
    run["state"]["result_state"]          # as Jobs API 2.2 `runs/get` shows it
    get_run(state, run["run_id"])
    list_runs(state, limit=10)
    repair_run(bundle, run["run_id"], state=state)
    cancel_run(state, run["run_id"])              # from another process

Reading and checking (`local.bundle`, `checks`), planning (`local.lakeflow`: pure), admitting (`admission`), executing
(`run`, `task`, `kinds`, `launch`), recording (`records`, `shape`), telling (`listener`) and showing
(`views`, `live`, `summary`) are apart.
"""

from local.jobs.cancel import cancel_run
from local.jobs.command import RunOptions, exit_code, get_run, list_runs, run_job
from local.jobs.listener import Listener
from local.jobs.repair import repair_run
from local.jobs.views import Lines, Silent, View

__all__ = [
    "Lines",
    "Listener",
    "RunOptions",
    "Silent",
    "View",
    "cancel_run",
    "exit_code",
    "get_run",
    "list_runs",
    "repair_run",
    "run_job",
]
