"""Which parameter wins, and which of them a notebook takes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conformance import cases, parameters

from local.bundle import Job
from local.errors import UsageError
from local.jobs.parameters import (
    child_parameters,
    injected,
    job_parameters,
    notebook_parameters,
    read_notebook_parameters,
)

JOB = Job("daily", 1, "Daily", {}, (), parameters={"day": "1", "mode": "part"})


def notebook(place: Path, *cells: tuple[str, list[str]]) -> Path:
    content = [{"cell_type": "code", "source": source, "metadata": {"tags": tags}} for source, tags in cells]
    place.write_text(json.dumps({"cells": content, "metadata": {}, "nbformat": 4}))
    return place


FUNCTIONS = {
    "job": lambda declared, given: job_parameters(replace(JOB, parameters=declared), given),
    "task": notebook_parameters,
    "child": lambda declared, task, parent: child_parameters(replace(JOB, parameters=declared), task, parent),
}


@pytest.mark.parametrize(("function", "layers", "expected"), cases(parameters.RULES))
def test_which_parameter_wins(function: str, layers: tuple[dict, ...], expected: dict) -> None:
    """The layers of the run, the job, the task and the child."""
    assert FUNCTIONS[function](*layers) == expected


def test_an_unknown_parameter_is_refused_with_the_legal_names() -> None:
    """A typing mistake must not run the job with the default."""
    with pytest.raises(UsageError, match="job `daily`: found `mod`; its parameters are `day`, `mode`"):
        job_parameters(JOB, {"mod": "full"})


def test_names_come_from_the_parameters_cell_and_from_widgets(tmp_path: Path) -> None:
    """Magics and other languages are passed over; only the tagged cell's assignments count."""
    file = notebook(
        tmp_path / "n.ipynb",
        ('catalog: str = "dev"  # where\nrows: int = 10\nrate = 0.5', ["parameters"]),
        ("%pip install x\nother = 1", []),
        ("dbutils.widgets.text('day', '')\nvalue = dbutils.widgets.get(name='mode')", []),
        ("%%sql\nSELECT 1", []),
        ("SELECT nonsense FROM", []),
    )

    taken = read_notebook_parameters(file)

    assert dict(taken.defaults) == {"catalog": "dev", "rows": 10, "rate": 0.5}
    assert taken.widgets == {"day", "mode"}
    assert taken.takes("rows")
    assert not taken.takes("other")


def test_names_come_from_source_files_and_from_sql_cells(tmp_path: Path) -> None:
    """In all the forms that SQL has for a widget; what is in a string or a comment is none."""
    python = tmp_path / "n.py"
    python.write_text(
        "# Databricks notebook source\n"
        "dbutils.widgets.text('day', '')\n# COMMAND ----------\n"
        "# MAGIC %sql\n# MAGIC SELECT ':no', raw:no -- :no\n# MAGIC FROM ${table} WHERE a = :state\n"
    )
    sql = tmp_path / "m.sql"
    sql.write_text(
        "-- Databricks notebook source\nCREATE WIDGET TEXT day DEFAULT ''; SELECT getArgument('state')\n"
        "-- COMMAND ----------\n-- MAGIC %python\n-- MAGIC dbutils.widgets.get('mode')\n"
    )

    assert read_notebook_parameters(python).widgets == {"day", "table", "state"}
    assert read_notebook_parameters(sql).widgets == {"day", "state", "mode"}


def test_a_notebook_that_reads_all_widgets_takes_anything(tmp_path: Path) -> None:
    """`getAll` and computed names cannot be listed, so nothing is called unknown."""
    assert read_notebook_parameters(notebook(tmp_path / "a.ipynb", ("dbutils.widgets.getAll()", []))).takes("x")
    assert read_notebook_parameters(notebook(tmp_path / "b.ipynb", ("dbutils.widgets.get(n)", []))).takes("x")


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("7", 1, 7),
        ("x", 1, "x"),
        ("0.5", 1.0, 0.5),
        ("true", False, True),
        ("maybe", False, "maybe"),
        ("7", "a", "7"),
        ("7", None, "7"),
    ],
)
def test_injected_values_have_the_type_of_the_default(text: str, default: object, expected: object) -> None:
    """Databricks passes text; the executed notebook shows the value as its cell would have it."""
    result = injected({"p": text, "other": "1"}, {"p": default})

    assert result == {"p": expected}
    assert type(result["p"]) is type(expected)
