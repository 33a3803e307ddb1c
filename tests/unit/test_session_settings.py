"""The settings that the cluster of a task gives to its Spark sessions."""

from typing import Any

import pytest
from pyspark.errors import IllegalArgumentException

from lakelocal.lakeflow.model import Job, Task
from lakelocal.lakeflow.session_settings import session_settings
from lakelocal.spark_settings import settings_of_clusters

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


# As Spark 4.1 answers.
FIXED = """Failed to set spark.driver.memory to Some(4g) due to [CANNOT_MODIFY_CONFIG] Cannot modify the value of the \
Spark config: "spark.driver.memory".
See also 'https://spark.apache.org/docs/latest/sql-migration-guide.html#ddl-statements'. SQLSTATE: 46110"""
STATIC = """Failed to set spark.sql.warehouse.dir to Some(/x) due to [CANNOT_MODIFY_STATIC_CONFIG] Cannot modify the \
value of the static Spark config: "spark.sql.warehouse.dir". SQLSTATE: 46110"""
WRONG = """Failed to set spark.sql.session.timeZone to Some(Mars) due to [INVALID_CONF_VALUE.TIME_ZONE] The value \
'Mars' in the config "spark.sql.session.timeZone" is invalid. Cannot resolve the given timezone. SQLSTATE: 22022"""


def test_what_only_a_cluster_has_is_told_apart_from_a_wrong_value() -> None:
    """Other warnings, such as that a setting is deprecated, are about neither."""
    assert settings_of_clusters([FIXED, "deprecated", STATIC]) == ["spark.driver.memory", "spark.sql.warehouse.dir"]
    with pytest.raises(IllegalArgumentException, match=r"^\[INVALID_CONF_VALUE.TIME_ZONE\] The value 'Mars'"):
        settings_of_clusters([FIXED, WRONG])
