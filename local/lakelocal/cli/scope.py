"""What a command works on: the project, its bundle for a target, and the state of that target's catalog."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lakelocal.errors import UsageError
from lakelocal.project import Project, State

if TYPE_CHECKING:
    from lakelocal.bundle import Bundle


def project_of(options: Namespace) -> Project:
    """The project that `--project` names, or the one around the current folder."""
    return Project.at(options.project) if options.project else Project.find()


def bundle_of(options: Namespace, variables: Mapping[str, str] | None = None) -> "Bundle":
    """The bundle for `--target`, with *variables* set."""
    from lakelocal.bundle import load_bundle  # imported here: `run` starts other things first

    return load_bundle(project_of(options), target=options.target, variables=variables or {})


def state_of(options: Namespace) -> State:
    """The state of the catalog of `--target`."""
    from lakelocal.bundle import load_settings

    project = project_of(options)
    settings = load_settings(project, target=options.target)
    return project.state(settings.catalog, settings.files)


def add_run(command: ArgumentParser) -> None:
    """The argument of every verb that is about one run."""
    command.add_argument("run", metavar="RUN", help="the number of a run, or `latest`; `runs list` shows them")


def run_named(state: State, name: str) -> int:
    """The id of the run that the argument of `add_run` names."""
    from lakelocal.history.reading import History  # not ahead of what `run` starts first

    return History.of(state).run_named(name).run_id


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """`K=V` texts as a dictionary; a name given twice keeps the last value, as the Databricks CLI does."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{option}: found `{text}`; expected NAME=VALUE. Write {option} {name or 'NAME'}=VALUE.")
        found[name] = value
    return found
