"""`runs export` and `runs open`: a run as an HTML page for people, or as JUnit XML for CI."""

import webbrowser
from argparse import Namespace
from pathlib import Path

from lakelocal.cli.scope import add_run, project_of, run_named, state_of
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.errors import UsageError
from lakelocal.waiting import waiting


def add(actions: Verbs) -> None:
    """Declare the action."""
    parser = add_verb(actions, "export", export, "one run as an HTML page, or as JUnit XML for CI")
    add_run(parser)
    parser.add_argument(
        "-o", dest="page", type=Path, metavar="FILE.html", help="the page (default: run-RUN_ID.html, unless --junit)"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE.xml", help="a JUnit report with one testcase per task")

    parser = add_verb(actions, "open", open_, "one run as a page in the browser, live if `serve` runs")
    add_run(parser)


def open_(options: Namespace) -> int:
    """Open the run's page of the server of the workspace; if none runs, write a page into the run's folder, open that.

    The address is printed too, for machines without a browser.
    """
    from lakelocal.history.reading import History
    from lakelocal.history.recorded import read_run
    from lakelocal.jobs.changes import changes_of
    from lakelocal.pages import run_file
    from lakelocal.workspace.running import address_of_run

    project, state = project_of(options), state_of(options)
    run_id = run_named(state, options.run)
    if link := address_of_run(project, state.catalog, run_id):
        print(f"{link} (once, within two minutes)")
        webbrowser.open(link)
        return 0
    run = read_run(History.of(state), run_id)
    place = state.runs / str(run.run_id) / "run.html"
    place.parent.mkdir(parents=True, exist_ok=True)
    with waiting(f"making the page of run {run.run_id}"):
        text = run_file(run, changes_of(run.run_id, History.of(state), state))
    _write("runs open", place, text)
    webbrowser.open(place.as_uri())
    return 0


def export(options: Namespace) -> int:
    """Write the files that were asked for; the page, if none was."""
    from lakelocal.export import junit  # imported here: these imports take longer than most commands
    from lakelocal.history.reading import History
    from lakelocal.history.recorded import read_run
    from lakelocal.jobs.changes import changes_of
    from lakelocal.pages import run_file

    state = state_of(options)
    run = read_run(History.of(state), run_named(state, options.run))
    place = options.page or (None if options.junit else Path(f"run-{run.run_id}.html"))
    if run.is_active:
        print(f"run {run.run_id} has not ended: its current state is shown")
    if place:
        with waiting(f"making the page of run {run.run_id}"):
            text = run_file(run, changes_of(run.run_id, History.of(state), state))
        _write("-o", place, text)
    if options.junit:
        _write("--junit", options.junit, junit(run))
    return 0


def _write(option: str, place: Path, text: str) -> None:
    try:
        place.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(
            f"{option}: `{place}` cannot be written ({error.strerror}). Name a file in a folder that exists."
        ) from error
    print(f"wrote {place} ({place.stat().st_size:,} bytes)")
