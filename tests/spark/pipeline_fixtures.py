"""Updates of pipelines in the process of the tests: sources as texts, and what they make of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from pyspark.sql import SparkSession

from lakelocal.compute import open_session
from lakelocal.lakeflow.update_progress import Event
from lakelocal.pipelines.order import Selection, UpdateOrder
from lakelocal.pipelines.update import Surroundings, Update
from lakelocal.project import State


@dataclass
class Pipeline:
    """A pipeline whose sources are written to *folder*; its tables are in *schema* of the catalog of the tests."""

    state: State
    folder: Path
    schema: str
    id: str
    configuration: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)
    catalog: str = ""  # if it is not that of the tests

    def update(self, *texts: str, **given: Any) -> Update:
        """Run an update; *texts* replace the sources (SQL if they begin with a word of it, else Python).

        The last update is returned also if it fails: its error is raised by the test, from `failure`.
        """
        if texts:
            self.sources = {_name(number, text): text for number, text in enumerate(texts)}
        self.folder.mkdir(exist_ok=True)
        for name, text in self.sources.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        selection = Selection(**given)
        order = UpdateOrder(
            id=self.id,
            name=self.schema,
            catalog=self.catalog or self.state.catalog,
            schema=self.schema,
            sources=tuple(str(self.folder / name) for name in self.sources),
            root=str(self.folder),
            configuration=self.configuration,
            parameters=self.parameters,
            selection=selection,
        )
        spark = open_session(self.state)
        names = {"spark": spark}
        surroundings = Surroundings(InteractiveShell.instance(), spark, self.state.pipelines, names, self.told.append)
        update = Update(order, surroundings)
        try:
            update.load()
            update.resolve()
            update.run()
        finally:
            spark.stop()
        return update

    @property
    def events(self) -> list[dict[str, Any]]:
        """What all updates have told, with the columns of the event log."""
        return [
            {
                "event_type": event.event_type,
                "origin": {"flow_name": event.flow_name, "dataset_name": event.dataset_name},
                "details": event.details,
            }
            for event in self.told
        ]


HEAD = "import dlt\nfrom pyspark import pipelines as dp\nfrom pyspark.sql import functions as F\n"


def rows(spark: SparkSession, pipeline: Pipeline, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table of *pipeline*, in one order."""
    return sorted((tuple(row) for row in spark.table(f"{pipeline.schema}.{table}").collect()), key=str)


def exists(spark: SparkSession, pipeline: Pipeline, table: str) -> bool:
    """Is there such a table of *pipeline*?"""
    return bool(spark.catalog.tableExists(f"{pipeline.schema}.{table}"))


def _name(number: int, text: str) -> str:
    first = text.split(None, 1)[0].upper()
    return f"source_{number}.{'sql' if first in ('CREATE', 'SET', 'USE', 'APPLY', '--') else 'py'}"


def statuses(update: Update) -> dict[str, str]:
    """How each flow ended, by the last part of its name."""
    return {name.rpartition(".")[2]: outcome.status for name, outcome in update.outcomes.items()}


def rule_counts(update: Update) -> dict[tuple[str, str], tuple[int, int]]:
    """By (dataset, rule), the rows that passed and failed, summed over all flows."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for outcome in update.outcomes.values():
        for rule in outcome.counts.rules:
            passed, failed = found.get((rule.dataset, rule.name), (0, 0))
            found[rule.dataset, rule.name] = (passed + rule.passed, failed + rule.failed)
    return found
