"""The settings that the cluster of a task gives to its Spark sessions."""

from typing import Any

import pytest

from lakelocal.lakeflow.model import Job, Task
from lakelocal.lakeflow.session_settings import session_settings

ANSI_OFF = {"spark.sql.ansi.enabled": "false"}


def settings_of(task: dict[str, Any], clusters: dict[str, Any] | None = None) -> dict[str, str]:
    shared = [{"job_cluster_key": key, "new_cluster": cluster} for key, cluster in (clusters or {}).items()]
    job = Job(key="j", name="j", id=1, settings={"job_clusters": shared}, tasks=())
    return session_settings(job, Task(key="t", kind="notebook_task", settings=task))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("15.4.x-scala2.12", ANSI_OFF),
        ("9.1.x-cpu-ml-scala2.12", ANSI_OFF),
        ("16.4.x-photon-scala2.13", ANSI_OFF),
        ("17.0.x-scala2.13", {}),
        ("18.x-snapshot-scala2.13", {}),
        ("custom:my-image", {}),
        (None, {}),
    ],
)
def test_ansi_mode_depends_on_the_runtime(version: str | None, expected: dict[str, str]) -> None:
    """It is on from 17.0, as on serverless compute, where a task has no cluster."""
    assert settings_of({"new_cluster": {"spark_version": version}}) == expected
    assert settings_of({"job_cluster_key": "c"}, {"c": {"spark_version": version}, "d": {}}) == expected
    assert settings_of({"environment_key": "e"}, {"c": {"spark_version": version}}) == {}


def test_settings_of_the_cluster_count_except_for_its_size_and_storage() -> None:
    """Those that are written come last, so that they also decide about ANSI mode."""
    written = {
        "spark.sql.ansi.enabled": True,
        "spark.databricks.delta.schema.autoMerge.enabled": "true",
        "spark.sql.shuffle.partitions": 400,
        "spark.sql.adaptive.enabled": "false",
        "fs.azure.account.key.x.dfs.core.windows.net": "{{secrets/a/b}}",
        "spark.hadoop.fs.s3a.endpoint": "x",
        "spark.empty": None,
    }

    assert settings_of({"new_cluster": {"spark_version": "14.3.x-scala2.12", "spark_conf": written}}) == {
        "spark.sql.ansi.enabled": "true",
        "spark.databricks.delta.schema.autoMerge.enabled": "true",
    }
