"""Pipelines of a bundle on the command line: their fields, their names, and the list of them."""

import json
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pytest
from databricks.bundles.pipelines import Pipeline as Model
from pipeline_updates import recorded_update

from lakelocal.bundle import load_bundle
from lakelocal.bundle.field_types import bare, model_fields
from lakelocal.cli.main import main
from lakelocal.errors import UsageError
from lakelocal.history.records import Records
from lakelocal.lakeflow.fields import pipeline_verdicts
from lakelocal.lakeflow.pipelines import FIELDS, rule_of
from lakelocal.lakeflow.verdicts import HONOURED, IGNORED, REFUSED
from lakelocal.project import Project

BUNDLE = """
bundle: {name: shop}
resources:
  pipelines:
    orders:
      name: orders of the shop
      schema: shop
      photon: true
      continuous: true
      clusters: [{label: default, num_workers: 2}]
      environment: {dependencies: [humanize]}
      libraries:
        - file: {path: orders.sql}
        - glob: {include: more/**}
    stock:
      schema: shop
      libraries: [{file: {path: nope.sql}}]
  jobs:
    daily:
      tasks:
        - task_key: refresh
          pipeline_task: {pipeline_id: "${resources.pipelines.orders.id}"}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LOCAL_STATE", raising=False)
    (tmp_path / "databricks.yml").write_text(BUNDLE, encoding="utf-8")
    (tmp_path / "orders.sql").write_text("CREATE OR REFRESH MATERIALIZED VIEW orders AS SELECT 1 AS id")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.py").write_text("import dlt")
    return tmp_path


def fields_of(model: type, path: str = "") -> Iterator[str]:
    """Every field below *model* as a dotted path."""
    for name, (kind, _) in model_fields(model).items():
        item = bare(typing.get_args(kind)[-1]) if typing.get_origin(kind) in (list, dict) else kind
        yield f"{path}{name}"
        if is_dataclass(item):
            yield from fields_of(item, f"{path}{name}.")


def test_every_field_of_databricks_model_has_a_verdict() -> None:
    """What an update honours is listed field by field; a new field of the model fails here."""
    covered = [path for path in FIELDS if FIELDS[path][0] in (IGNORED, REFUSED)]
    known = list(fields_of(Model))
    missing = [
        path for path in known if path not in FIELDS and not any(path.startswith(f"{above}.") for above in covered)
    ]

    assert len(known) > 100
    assert missing == []


def test_every_verdict_is_about_a_field() -> None:
    """Three are not in the model: those that the CLI sets itself, or keeps for old bundles."""
    assert set(FIELDS) - set(fields_of(Model)) == {"trigger", "run_as_mode", "state"}


def test_a_field_below_another_has_its_verdict() -> None:
    assert rule_of("libraries.glob.include")[0] == HONOURED
    assert rule_of("libraries.maven.coordinates")[0] == REFUSED
    assert rule_of("clusters.spark_conf")[0] == IGNORED


def test_fidelity_shows_the_fields_of_pipelines(root: Path, capsys: pytest.CaptureFixture) -> None:
    main(["--project", str(root), "validate", "--fidelity"])
    found = capsys.readouterr().out

    assert "pipeline orders: the fields that it sets" in found
    rows = {line.split()[1]: line.split()[0] for line in found.splitlines() if line.startswith(("ignored", "approx"))}
    assert (rows["clusters"], rows["photon"], rows["continuous"]) == ("ignored", "ignored", "approximated")
    assert rows["environment.dependencies"] == "approximated"
    assert "in 1 job, 2 pipelines, 1 target (default)" in found


def test_a_pipeline_that_cannot_run_is_not_said_to_run(root: Path, capsys: pytest.CaptureFixture) -> None:
    """`validate` and `jobs` agree."""
    main(["--project", str(root), "validate"])
    lines = capsys.readouterr().out.splitlines()

    assert any(line.startswith("pipeline orders runs here with ") for line in lines)
    assert any(line.startswith("pipeline stock cannot run here: see above; 2 fields honoured") for line in lines)


def test_fidelity_of_one_job_has_the_pipelines_that_it_updates(root: Path, capsys: pytest.CaptureFixture) -> None:
    def told(*words: str) -> dict[str, Any]:
        main(["--project", str(root), "validate", *words, "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    assert (told()["jobs"], told()["pipelines"]) == (["daily"], ["orders", "stock"])
    assert told("daily")["pipelines"] == ["orders"]
    assert (told("stock")["jobs"], told("stock")["pipelines"]) == ([], ["stock"])
    fields = {(each["pipeline"], each["field"]) for each in told("daily")["fidelity"] if each["pipeline"]}
    assert ("orders", "libraries.file.path") in fields and ("orders", "schema") in fields


def test_each_field_is_told_once(root: Path) -> None:
    bundle = load_bundle(Project.at(root), target=None, variables={})
    fields = [each.field for each in pipeline_verdicts(bundle.pipelines["orders"])]

    assert len(fields) == len(set(fields))


def test_a_name_that_is_nearly_that_of_a_pipeline(root: Path) -> None:
    bundle = load_bundle(Project.at(root), target=None, variables={})

    with pytest.raises(
        UsageError, match=r"jobs are `daily`; its pipelines are `orders`, `stock`\. Did you mean `stock`"
    ):
        bundle.job("stok")
    assert bundle.only_job().key == "daily"


def test_the_only_pipeline_of_a_bundle_without_jobs_needs_no_name(tmp_path: Path) -> None:
    """As the only job of another."""
    text = "bundle: {name: b}\nresources: {pipelines: {p: {schema: s, libraries: [{file: {path: a.sql}}]}}}"
    (tmp_path / "databricks.yml").write_text(text)
    (tmp_path / "a.sql").write_text("SELECT 1")

    job = load_bundle(Project.at(tmp_path), target=None, variables={}).only_job()
    assert (job.key, job.is_update) == ("p", True)


def test_the_list_of_pipelines(root: Path, capsys: pytest.CaptureFixture) -> None:
    """With the last update, whoever did it; `jobs` has it below the jobs."""
    project = Project.at(root)
    pipeline = load_bundle(project, target=None, variables={}).pipelines["orders"]
    records = Records.of(project.state("main"))
    _, _, update_id = recorded_update(records, pipeline_id=pipeline.id)

    assert main(["--project", str(root), "pipelines", "--json"]) == 0
    orders, stock = json.loads(capsys.readouterr().out)
    assert orders["sources"] == ["orders.sql", "more/more.py"] and orders["schema"] == "main.shop"
    assert orders["last_update"] == {"update_id": update_id, "run_id": 1, "state": "FAILED"}
    assert orders["error"] == "" and "nope.sql" in stock["error"] and stock["last_update"] is None
    for verb in ("pipelines", "jobs"):
        assert main(["--project", str(root), verb]) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert ["orders", "main.shop", "2", "FAILED", "(run", "1)"] in lines
        assert any(line[:3] == ["stock", "cannot", "run:"] for line in lines)
