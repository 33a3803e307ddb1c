"""The task types that do not run here, each with what to use instead."""

from lakelocal.lakeflow.task_types.task_type import ALERT, VALUES, TaskType
from lakelocal.lakeflow.verdicts import REFUSED

_JAR = "JARs do not run on the Spark Connect server; use a `spark_python_task` or a `python_wheel_task`"
_DBT = "dbt does not run here; use a notebook that calls it"
_GPU = "it needs the GPUs of Databricks; use a notebook"


def _refused(name: str, note: str, *leaves: str, needs_compute: bool = False) -> TaskType:
    return TaskType(name, {"": (REFUSED, note)}, leaves=frozenset({VALUES, *leaves}), needs_compute=needs_compute)


ELSEWHERE = (
    _refused("dbt_task", _DBT, needs_compute=True),
    _refused("dbt_platform_task", _DBT),
    _refused("spark_jar_task", _JAR, needs_compute=True),
    _refused("spark_submit_task", _JAR, needs_compute=True),
    _refused("dashboard_task", "it lives in the workspace; use the other tasks without it"),
    _refused("power_bi_task", "it lives in the workspace; use the other tasks without it"),
    _refused("alert_task", "it lives in the workspace; use `sql_task.file`, and a condition task on its output", ALERT),
    _refused("clean_rooms_notebook_task", "clean rooms live in an account; use the other tasks without it"),
    _refused("ai_runtime_task", _GPU),
    _refused("gen_ai_compute_task", _GPU),
    _refused("python_operator_task", "its operators live on Databricks; use a `spark_python_task`"),
)
