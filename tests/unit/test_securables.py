"""Schemas and volumes that a bundle declares: read from its resources, named as a deployment would name them."""

from pathlib import Path
from textwrap import dedent

from lakelocal.bundle import Bundle, load_bundle
from lakelocal.catalogs import Catalogs
from lakelocal.compute.local_server import LocalServer
from lakelocal.jobs.securables import create_named_schemas, create_securables
from lakelocal.lakeflow.catalogs import named_catalogs, named_schemas
from lakelocal.lakeflow.model import Securable
from lakelocal.project import Project
from lakelocal.validate import validate

DECLARED = """
    bundle: {name: b}
    variables: {catalog: {default: main}}
    resources:
      volumes:
        landing: {catalog_name: "${var.catalog}", schema_name: "${resources.schemas.raw.name}", name: landing}
      schemas:
        raw: {catalog_name: "${var.catalog}", name: raw}
    targets:
      plain: {}
      own: {presets: {name_prefix: "[dev ana.b] "}}
      other: {variables: {catalog: elsewhere}}
"""


def read(root: Path, text: str = DECLARED, target: str | None = None) -> Bundle:
    (root / "databricks.yml").write_text(dedent(text))
    return load_bundle(Project.at(root), target=target)


def test_schemas_come_before_their_volumes(tmp_path: Path) -> None:
    """A volume needs its schema; references between them are resolved."""
    assert [str(each) for each in read(tmp_path, target="plain").securables] == ["main.raw", "main.raw.landing"]


def test_a_prefix_goes_before_the_names_of_schemas(tmp_path: Path) -> None:
    """As an identifier, even where a volume refers to the schema; the volume's own name is kept."""
    assert [str(each) for each in read(tmp_path, target="own").securables] == [
        "main.dev_ana_b_raw",
        "main.dev_ana_b_raw.landing",
    ]


def test_a_volume_without_a_schema_is_left_out(tmp_path: Path) -> None:
    """`validate` reports the missing field, with file and line."""
    assert (
        read(tmp_path, "bundle: {name: b}\nresources: {volumes: {v: {catalog_name: main, name: v}}}").securables == ()
    )

    told = [str(each) for each in validate(Project.at(tmp_path)).findings]
    assert told == ["`databricks.yml:2`: found no `schema_name` in this Volume; expected a text. Add it."]


def test_volumes_are_made_once_where_their_schema_is(tmp_path: Path) -> None:
    """Existing objects are left alone, and nothing is reported about them."""
    told: list[str] = []
    bundle = read(tmp_path, target="plain")
    state = Project.at(tmp_path).state("main").make()
    (state.warehouse / "raw.db").mkdir()  # as the metastore leaves it

    create_securables(bundle, LocalServer(state), told.append)
    create_securables(bundle, LocalServer(state), told.append)

    assert (state.volumes / "raw" / "landing").is_dir()
    assert told == ["created where absent, as the bundle declares: main.raw.landing"]


def test_those_of_another_catalog_are_made_in_it(tmp_path: Path) -> None:
    """The run's catalog is `main`; the catalog that the schema needs exists afterwards."""
    told: list[str] = []
    state = Project.at(read(tmp_path, target="other").root).state("main").make()
    (state.warehouse / "catalog__elsewhere__raw.db").mkdir()  # as the metastore leaves the schema

    create_securables(read(tmp_path, target="other"), LocalServer(state), told.append)

    assert (state.catalogs / "elsewhere" / "volumes" / "raw" / "landing").is_dir()
    assert told == ["created where absent, as the bundle declares: elsewhere.raw.landing"]
    assert not list(state.volumes.iterdir())


def test_a_catalog_that_is_declared_exists(tmp_path: Path) -> None:
    """`resources.catalogs`."""
    told: list[str] = []
    bundle = read(tmp_path, "bundle: {name: b}\nresources: {catalogs: {lake: {name: lake_dev}}}")
    state = Project.at(tmp_path).state("main").make()

    create_securables(bundle, LocalServer(state), told.append)

    assert Catalogs(state).exists("lake_dev")
    assert told == ["created where absent, as the bundle declares: lake_dev"]


def test_catalogs_that_a_bundle_names(tmp_path: Path) -> None:
    """In resources, variables, and parameters of jobs, tasks and the run; no other value is taken for a catalog."""
    (tmp_path / "n.py").write_text("# Databricks notebook source\n")
    bundle = read(
        tmp_path,
        """
        bundle: {name: b}
        variables:
          catalog: {default: dev}
          bronzeCatalog: {default: bronze}
          gold-catalog: {default: gold}
          catalogue: {default: none1}
          source_table: {default: src.shop.orders}
          host: {default: a.b.com}
          catalog_path: {default: /x/y}
          catalog_type: {default: managed}
        resources:
          schemas: {s: {catalog_name: silver, name: x}}
          pipelines:
            p: {name: p, catalog: "${var.catalog}_piped", libraries: [{file: {path: n.py}}]}
            q: {name: q, catalog: 2nd-lake, libraries: [{file: {path: n.py}}]}
          jobs:
            j:
              parameters: [{name: output_catalog, default: out}, {name: run_date, default: today}]
              tasks:
                - task_key: t
                  notebook_task: {notebook_path: n.py, base_parameters: {catalog_2: second, view: "third.a.b"}}
        """,
    )

    found = named_catalogs(
        bundle, bundle.securables, bundle.jobs.values(), {"my_catalog": "given"}, bundle.pipelines.values()
    )

    assert found == [
        "2nd-lake",
        "bronze",
        "dev",
        "dev_piped",
        "given",
        "gold",
        "out",
        "second",
        "silver",
        "src",
        "third",
    ]


def test_schemas_that_variables_and_parameters_name(tmp_path: Path) -> None:
    """Each in the catalog that is named beside it; any other name with `schema` in it is something else."""
    bundle = read(
        tmp_path,
        """
        bundle: {name: b}
        variables:
          catalog: {default: dev}
          schema: {default: ana}
          gold_catalog: {default: gold}
          gold_schema: {default: marts}
          raw_schema_name: {default: raw}
          merge_schema: {default: "true"}
          schema_location: {default: x}
          other_schema: {default: a/b}
          database: {default: default}
        """,
    )

    found = named_schemas(bundle, {"schema": "ana", "catalog": "dev", "target_schema": "t"})

    assert [str(each) for each in found] == ["dev.ana", "gold.marts", "dev.raw", "dev.t"]


def test_a_schema_that_a_variable_names_is_there(tmp_path: Path) -> None:
    """Once it exists, nothing is queried and nothing reported."""
    told: list[str] = []
    state = Project.at(read(tmp_path, target="plain").root).state("main").make()
    (state.warehouse / "ana.db").mkdir()

    create_named_schemas([Securable("schema", "main", "ana")], LocalServer(state), told.append)

    assert told == []
