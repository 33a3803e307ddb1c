"""Small bundles for the tests of `validate`: a root file that includes one JSON file with the jobs."""

import json
from pathlib import Path
from typing import Any

from lakelocal.project import Project
from lakelocal.validate import Finding, Report, validate

ROOT = "bundle: {name: b}\ninclude: [jobs.json]\n"
PLAIN = "print(1)"


def notebook(*cells: str, parameters: str = "") -> str:
    """A Jupyter notebook with these code cells, preceded by *parameters* in a cell with that tag."""
    sources = [(parameters, ["parameters"])] if parameters else []
    sources += [(cell, []) for cell in cells]
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "metadata": {"tags": tags}, "source": source, "outputs": []}
                for source, tags in sources
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def task(key: str, *after: str, **fields: Any) -> dict[str, Any]:
    """A task that runs `n.ipynb`, unless *fields* give another type; `after` are keys, `key=outcome` for a branch."""
    depends_on = [dict(zip(("task_key", "outcome"), each.split("="), strict=False)) for each in after]
    kind = {} if any(name.endswith("_task") for name in fields) else {"notebook_task": {"notebook_path": "n.ipynb"}}
    return {"task_key": key, **kind, **({"depends_on": depends_on} if after else {}), **fields}


def condition(left: str = "{{job.run_id}}", op: str = "EQUAL_TO", right: str = "1") -> dict[str, str]:
    return {"left": left, "op": op, "right": right}


def starts(job: str) -> dict[str, str]:
    return {"job_id": f"${{resources.jobs.{job}.id}}"}


def job(*tasks: dict, **fields: Any) -> dict[str, Any]:
    return {"name": "J", **fields, "tasks": list(tasks) or [task("a")]}


def project(root: Path, jobs: dict[str, Any] | str, files: dict[str, str] | None = None, head: str = ROOT) -> Project:
    """The project in *root*: `n.ipynb`, `jobs.json` and *files*."""
    text = jobs if isinstance(jobs, str) else json.dumps({"resources": {"jobs": jobs}}, indent=1)
    for name, content in {
        "databricks.yml": head,
        "n.ipynb": notebook(PLAIN),
        "jobs.json": text,
        **(files or {}),
    }.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return Project.at(root)


def found(root: Path, jobs: dict[str, Any] | str, files: dict[str, str] | None = None, **how: Any) -> list[Finding]:
    """What `validate` finds, in order."""
    head = how.pop("head", ROOT)
    return list(report(root, jobs, files, head=head, **how).findings)


def report(root: Path, jobs: Any, files: dict[str, str] | None = None, *, head: str = ROOT, **how: Any) -> Report:
    return validate(project(root, jobs, files, head), **how)


def line_of(text: str, marker: str) -> int:
    """The number of the only line (from 1) that contains *marker*."""
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if marker in line]
    assert len(lines) == 1, f"{marker!r} stands in lines {lines}"
    return lines[0]
