"""A run as one HTML page: no network, no scripts, readable in light and dark mode, on screen and on paper."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakelocal.export.graph import graph
from lakelocal.export.markup import Content, Markup, element
from lakelocal.export.notebooks import Notebooks, code_style
from lakelocal.export.recorded import Attempt, Run, utc
from lakelocal.export.timeline import timeline
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.references import Scope, WrongReference, resolve
from lakelocal.lakeflow.results import meaning

STYLE = Path(__file__).with_name("page.css")
# With this, the browser prevents anything that a notebook printed from running or using the network.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(run: Run) -> str:
    """The whole page of *run* and the runs below it."""
    title = f"{run.name}, run {run.run_id}: {run.result}"
    notebooks = Notebooks()
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE.read_text(encoding="utf-8") + code_style())),
    )
    body = element(
        "body",
        element("main", [_section(each, run, notebooks) for each in _each_once(run)]),
        element(
            "footer", f"Made from the run history on {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC. All times are UTC."
        ),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def overridden(run: Run) -> set[str]:
    """The parameters whose value differs from what their default yields in this run."""
    parameters = run.shape["job_parameters"]
    scope = Scope.of_run(run.shape, parameters={each["name"]: each["value"] for each in parameters})
    return {each["name"] for each in parameters if not _is_default(each, scope)}


def _is_default(parameter: Mapping[str, str], scope: Scope) -> bool:
    try:
        return resolve(parameter["default"], scope) == parameter["value"]
    except WrongReference:  # the default has no value in such a run, so another value was given
        return False


def _each_once(run: Run) -> list[Run]:
    return list({each.run_id: each for each in run.with_descendants()}.values())


def _section(run: Run, top: Run, notebooks: Notebooks) -> Markup:
    level = "h1" if run is top else "h2"
    return element(
        "section",
        element(level, run.name, " ", _badge(run.result)),
        element("p", "This run had not ended when this page was made.", class_="warning")
        if run.is_active
        else None,
        element("p", run.message, class_="message") if run.message else None,
        _facts(run),
        _parameters(run),
        element("h3", "Tasks"),
        element("div", graph(run), class_="drawing") if run.works else element("p", "No task has begun."),
        [element("h3", "Timeline, with child runs"), element("div", timeline(run), class_="drawing")]
        if run is top and run.works
        else None,
        [element("h3", "Attempts"), _attempts(run, notebooks)] if run.works else None,
        id=f"run-{run.run_id}", class_="run",
    )  # fmt: skip


def _facts(run: Run) -> Markup:
    shape = run.shape
    parent = shape.get("parent_run_id")
    facts: dict[str, Any] = {
        "run": run.run_id,
        "job": shape["job_key"],
        "target": shape["target"],
        "trigger": shape["trigger"],
        "started by": element("a", f"run {parent}", href=f"#run-{parent}") if parent else None,
        "scheduled for": utc(shape["trigger_time"]) if shape.get("trigger_time") else None,
        "waited in the queue": duration(shape["queue_duration"] / 1000) if shape.get("queue_duration") else None,
        "start": utc(shape["start_time"]),
        "end": utc(shape["end_time"]) if shape["end_time"] else "not yet",
        "duration": duration(run.seconds(shape)),
        "repairs": len(shape["repair_history"]) - 1 if "repair_history" in shape else None,
        "health": "; ".join(_warning(each) for each in shape.get("health_warnings", [])) or None,
    }
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value))
            for name, value in facts.items()
            if value is not None
        ],
    )


def _warning(rule: Mapping[str, Any]) -> str:
    """A health rule that was exceeded, and when."""
    return f"{rule['metric']} {rule['op']} {rule['value']} since {utc(rule['exceeded_at'])}"


def _parameters(run: Run) -> Markup | None:
    if not run.shape["job_parameters"]:
        return None
    changed = overridden(run)
    rows = [
        element(
            "tr",
            element("td", each["name"]),
            element("td", element("code", each["default"])),
            element("td", element("code", each["value"])),
            element("td", "overridden" if each["name"] in changed else ""),
            class_="changed" if each["name"] in changed else None,
        )
        for each in run.shape["job_parameters"]
    ]
    return element("div", element("h3", "Parameters"), _table(("name", "default", "value", ""), rows))


def _attempts(run: Run, notebooks: Notebooks) -> Markup:
    rows = [
        [_attempt_row(run, work.label, attempt), _below(attempt, notebooks)]
        for work in run.works
        for attempt in work.attempts
    ]
    return _table(("task", "attempt", "state", "start", "end", "duration", "message"), rows)


def _attempt_row(run: Run, label: str, attempt: Attempt) -> Markup:
    shape = attempt.shape
    trace = element("details", element("summary", "trace"), element("pre", attempt.trace)) if attempt.trace else None
    warnings = [element("p", _warning(each)) for each in shape.get("health_warnings", [])]
    cells = (
        label,
        attempt.number,
        _badge(attempt.result),
        utc(shape["start_time"]),
        utc(shape["end_time"]) if shape["end_time"] else "",
        duration(run.seconds(shape)),
        [attempt.message, warnings, trace],
    )
    return element("tr", [element("td", cell) for cell in cells], id=f"attempt-{attempt.run_id}")


def _below(attempt: Attempt, notebooks: Notebooks) -> Iterator[Markup]:
    """What an attempt left: rows for its notebook, its child run and its exit value."""
    parts: list[Markup] = []
    if attempt.child:
        link = element("a", f"run {attempt.child.run_id} of {attempt.child.name}", href=f"#run-{attempt.child.run_id}")
        parts.append(element("p", "started ", link, " ", _badge(attempt.child.result)))
    if "iteration" in attempt.shape:
        parts.append(element("p", "input ", element("code", str(attempt.shape["iteration"]["input"]))))
    if "notebook_output" in attempt.shape:
        parts.append(element("p", "exit value ", element("code", attempt.shape["notebook_output"]["result"])))
    if attempt.notebook:
        name = "/".join(attempt.notebook.parts[-2:])
        parts.append(
            element("details", element("summary", f"executed notebook {name}"), notebooks.html(attempt.notebook))
        )
    elif attempt.is_active and "notebook_task" in attempt.shape:
        parts.append(element("p", "The executed notebook is shown once the attempt has ended.", class_="said"))
    if parts:
        yield element("tr", element("td", parts, colspan=7), class_="below")


def _table(heads: tuple[str, ...], rows: Content) -> Markup:
    head = element("thead", element("tr", [element("th", name) for name in heads]))
    return element("table", head, element("tbody", rows), class_="list")


def _badge(result: str) -> Markup:
    return element("span", result, class_=f"badge {meaning(result).tone}")
