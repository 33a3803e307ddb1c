"""A run as a page: why it failed; its tasks as a graph, on a time axis and one by one; the tables that it changed.

`run_file` makes the page of `runs export`: one file with the run and its child runs. A server shows the same parts
on several pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lakelocal.history.api import repair_command
from lakelocal.history.recorded import Run, utc
from lakelocal.jobs.tables import TableChange
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.references import Scope, WrongReference, resolve
from lakelocal.pages.graph import Graph, graph
from lakelocal.pages.links import Links, WithinPage, cause_link
from lakelocal.pages.notebooks import Notebooks
from lakelocal.pages.rendering import render, warning
from lakelocal.pages.timeline import Timeline, timeline
from lakelocal.pages.triggers import trigger_in_words


@dataclass(frozen=True)
class Fact:
    """A named value of a run; *href* is empty if it is not a link."""

    name: str
    value: str
    href: str = ""


@dataclass(frozen=True)
class Parameter:
    """A job parameter; *changed*: its value differs from the default's value in this run."""

    name: str
    default: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Section:
    """What a page shows about one run; its drawings include its child runs. *cause*: a link to where it failed."""

    run: Run
    cause: str
    facts: Sequence[Fact]
    parameters: Sequence[Parameter]
    graph: Graph
    timeline: Timeline


def run_file(run: Run, changes: Sequence[TableChange] = ()) -> str:
    """The page of *run* and its child runs, with the *changes* of tables: one file, which opens from disk."""
    links = WithinPage()
    runs = {each.run_id: each for each in run.with_descendants()}.values()
    return render(
        "run_file.html",
        title=title_of(run),
        sections=[section(each, links) for each in runs],
        changes=[change for change in changes if change.commits],
        links=links,
        notebooks=Notebooks(),
        repair=repair_command(run.shape),
    )


def title_of(run: Run) -> str:
    """The title of the page of *run*."""
    return f"{run.name}, run {run.run_id}: {run.result}"


def section(run: Run, links: Links) -> Section:
    """What a page shows about *run*."""
    cause, facts, parameters = cause_link(run, links), list(_facts(run, links)), parameters_of(run)
    return Section(run, cause, facts, parameters, graph(run, links), timeline(run, links))


def parameters_of(run: Run) -> list[Parameter]:
    """The job parameters of *run*, with the values that it was given."""
    changed = overridden(run)
    return [
        Parameter(each["name"], str(each["default"] or ""), each["value"], each["name"] in changed)
        for each in run.shape["job_parameters"]
    ]


def overridden(run: Run) -> set[str]:
    """The parameters whose value differs from their default's value in this run."""
    parameters = run.shape["job_parameters"]
    scope = Scope.of_run(run.shape, parameters={each["name"]: each["value"] for each in parameters})
    return {each["name"] for each in parameters if not _is_default(each, scope)}


def _is_default(parameter: Mapping[str, str | None], scope: Scope) -> bool:
    if parameter["default"] is None:
        return False
    try:
        return resolve(parameter["default"], scope) == parameter["value"]
    except WrongReference:  # the default has no value in such a run, so another value was given
        return False


def _facts(run: Run, links: Links) -> Iterator[Fact]:
    shape = run.shape
    yield Fact("run", str(links.number(run.run_id)))
    yield Fact("job", run.name, links.job(run))
    yield Fact("target", shape["target"])
    yield Fact("trigger", trigger_in_words(shape["trigger"]))
    if parent := shape.get("parent_run_id"):
        yield Fact("started by", f"run {links.number(parent)}", links.run(parent))
    if shape.get("trigger_time"):
        yield Fact("scheduled for", f"{utc(shape['trigger_time'])} UTC")
    if shape.get("queue_duration"):
        yield Fact("queue duration", duration(shape["queue_duration"] / 1000))
    if "repair_history" in shape:
        yield Fact("repairs", str(len(shape["repair_history"]) - 1))
    for each in shape.get("health_warnings", []):
        yield Fact("health", warning(each))
