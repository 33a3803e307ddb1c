"""Lakeflow Jobs on this machine.

    run = command.run_job(bundle, "daily", state=state, parameters={"run_date": "2018-01-01"})
    run["state"]["result_state"]          # as Jobs API 2.2 `runs/get` shows it
    command.get_run(state, run["run_id"])
    command.list_runs(state, limit=10)
    repair.repair_run(bundle, run["run_id"], state=state)
    cancel.cancel_run(state, run["run_id"])       # from another process

Reading and checking (`lakelocal.bundle`, `checks`), planning (`lakelocal.lakeflow`: pure), admission (`admission`),
execution (`run`, `task`, `task_types`, `launch`), recording (`lakelocal.history`), notification (`listener`) and
display (`views`, `live`, `summary`) are kept apart.
"""
