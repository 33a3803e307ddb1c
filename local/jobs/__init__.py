"""Lakeflow Jobs on this machine.

    run = run_job(bundle, "olist_daily_job", state=state, parameters={"run_date": "2018-01-01"})
    run["state"]["result_state"]          # as Jobs API 2.2 `runs/get` shows it
    get_run(state, run["run_id"])
    list_runs(state, limit=10)

Reading and checking (`local.bundle`, `checks`), planning (`plan`: pure), executing (`run`, `launch`, `attempt`),
recording (`records`, `shape`) and showing (`views`, `live`, `summary`) are apart.
"""

from local.jobs.command import RunOptions, exit_code, get_run, list_runs, run_job
from local.jobs.views import Lines, Silent, View

__all__ = ["Lines", "RunOptions", "Silent", "View", "exit_code", "get_run", "list_runs", "run_job"]
