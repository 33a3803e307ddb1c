"""Checks all definitions together, before any query is evaluated, and selects the datasets that are refreshed.

Source: Databricks documentation, "Lakeflow Spark Declarative Pipelines"; if Databricks documents no error condition, it
is that of Spark's own engine.
"""

from collections.abc import Collection, Iterable, Mapping

from lakelocal.near_names import next_step
from lakelocal.pipelines.definitions import TITLES, Dataset, Definitions, Flow, Key, Kind, shown
from lakelocal.pipelines.errors import AnalysisError, DefinitionError, PipelineError
from lakelocal.pipelines.order import Selection


def check(definitions: Definitions) -> None:
    """Refuse definitions that do not fit together.

    Raises:
        DefinitionError: nothing is defined, a streaming table has no flow, or a flow does not fit its target.
    """
    if not any(each.kind is not Kind.TEMPORARY_VIEW for each in definitions.datasets.values()):
        raise DefinitionError(
            "[NO_TABLES_IN_PIPELINE] found no tables in the pipeline's sources; expected at least one. Define one with "
            "`@dlt.table`, or with CREATE OR REFRESH."
        )
    for flow in definitions.flows:
        _check_target(flow, definitions)
    for key, dataset in definitions.datasets.items():
        flows = list(definitions.flows_into(key))
        if dataset.kind is Kind.STREAMING_TABLE and not flows:
            raise DefinitionError(
                f"{dataset.origin}: No query found for dataset `{shown(key)}`; expected a flow into it. Add an "
                "`append_flow`, an AUTO CDC flow or a query."
            )
        changes = [flow for flow in flows if flow.changes]
        if changes and (
            len(changes) < len(flows) or len({flow.changes.snapshot for flow in changes if flow.changes}) > 1
        ):
            raise DefinitionError(
                f"{dataset.origin}: found flows of several kinds into `{dataset.name}`; expected only one kind for a "
                "target of AUTO CDC. Give the others their own table."
            )


def _check_target(flow: Flow, definitions: Definitions) -> None:
    target = definitions.datasets.get(definitions.key(flow.target, flow.defaults))
    if target is None:
        known = [each.name for each in definitions.datasets.values() if each.kind in (Kind.STREAMING_TABLE, Kind.SINK)]
        raise DefinitionError(
            f"{flow.origin}: flow `{flow.name}` writes to `{flow.target}`, which the pipeline does not define; "
            f"expected a streaming table or a sink. {next_step(flow.target, known)}"
        )
    if flow.explicit and target.kind not in (Kind.STREAMING_TABLE, Kind.SINK, Kind.TABLE):
        raise DefinitionError(
            f"{flow.origin}: flow `{flow.name}` writes to the {TITLES[target.kind]} `{target.name}`, which accepts "
            "only its own query; expected a streaming table or a sink. Choose another target."
        )
    if target.kind is Kind.SINK and (flow.changes or flow.once):
        raise DefinitionError(
            f"{flow.origin}: flow `{flow.name}` writes to the sink `{target.name}`, which only accepts append flows of "
            "streams. Write to a streaming table instead."
        )


def check_cycles(reads: Mapping[Key, Collection[Key]], names: Mapping[Key, str]) -> None:
    """Refuse datasets that read each other; *reads* has what each one reads.

    Raises:
        AnalysisError: there is a cycle.
    """
    done: set[Key] = set()

    def follow(key: Key, path: tuple[Key, ...]) -> None:
        if key in path:
            circle = [*path[path.index(key) :], key]
            upstream, downstream = names[circle[0]], names[circle[1]] if len(circle) > 1 else names[circle[0]]
            raise AnalysisError(
                f"The downstream table `{downstream}` is referenced when creating the upstream table or view "
                f"`{upstream}`: {' <- '.join(f'`{names[each]}`' for each in circle)}. Circular dependencies are not "
                "supported in a pipeline. Remove the dependency between them."
            )
        if key in done:
            return
        for inner in reads.get(key, ()):
            if inner in names:
                follow(inner, (*path, key))
        done.add(key)

    for key in reads:
        follow(key, ())


def refreshed(definitions: Definitions, selection: Selection) -> tuple[set[Key], set[Key]]:
    """The keys of the tables and sinks that an update refreshes, and of those that it refreshes fully.

    Source: Pipelines API, `StartUpdate`. A table with `pipelines.reset.allowed=false` is only refreshed, not fully,
    when all tables are refreshed fully.

    Raises:
        PipelineError: a name is not that of a table of the pipeline, is in both lists, or given with a refresh of all.
    """
    stored = {key for key, each in definitions.datasets.items() if not each.is_view}
    stored |= {key for key, each in definitions.datasets.items() if each.kind is Kind.PUBLISHED_VIEW}
    if selection.full_refresh_all and (selection.refresh or selection.full_refresh):
        raise PipelineError(
            "found both names and a full refresh of all tables; expected one of them. Remove the other."
        )
    chosen = _chosen(selection.refresh, definitions, stored)
    full = _chosen(selection.full_refresh, definitions, stored)
    if both := sorted(chosen & full):
        raise PipelineError(
            f"found `{both[0][-1]}` in the refresh and in the full refresh; expected it in one of the two. Remove it "
            "from the other."
        )
    for key in full:
        if not may_be_reset(definitions.datasets[key]):
            raise PipelineError(
                f"`{definitions.datasets[key].name}`: found `pipelines.reset.allowed=false`, so it cannot be fully "
                "refreshed. Remove the property first."
            )
    if selection.full_refresh_all:
        return stored, {key for key in stored if may_be_reset(definitions.datasets[key])}
    return (chosen | full if chosen or full else stored), full


def may_be_reset(dataset: Dataset) -> bool:
    """Does the dataset allow a full refresh?"""
    return str(dataset.properties.get("pipelines.reset.allowed", "true")).lower() != "false"


def _chosen(names: Iterable[str], definitions: Definitions, stored: Collection[Key]) -> set[Key]:
    found = set()
    for name in names:
        key = definitions.key(name, definitions.defaults)
        if key not in stored:
            known = [definitions.datasets[each].name for each in stored]
            raise PipelineError(
                f"found no table `{name}` to refresh; the tables of the pipeline are "
                f"{', '.join(f'`{each}`' for each in sorted(known))}. {next_step(name, known)}"
            )
        found.add(key)
    return found
