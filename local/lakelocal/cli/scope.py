"""What a command works on: the project, its bundle for a target, and the state of that target's catalog."""

import csv
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
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
    """Add the argument of every verb that concerns one run."""
    command.add_argument("run", metavar="RUN", help="the number of a run, or `latest`; `runs list` shows them")


def run_named(state: State, name: str) -> int:
    """The id of the run that the argument of `add_run` names."""
    from lakelocal.history.reading import History  # not ahead of what `run` starts first

    return History.of(state).run_named(name).run_id


def variables_of(options: Namespace) -> dict[str, str]:
    """The values of `--var`, each once. Commas separate several in one option, as in the Databricks CLI.

    Raises:
        UsageError: one is not NAME=VALUE, or has a second value.
    """
    found: dict[str, str] = {}
    for text in (each for given in options.var for each in _parts(given)):
        name, value = _pair("--var", text)
        if name in found:
            raise UsageError(
                f"--var: found `{name}` twice, `{found[name]}` and `{value}`; expected one value. Leave one out."
            )
        found[name] = value
    return found


def parameters_of(options: Namespace) -> dict[str, str]:
    """The values of `--param`; if a name is given twice, the last value counts.

    A comma separates several in one option only if there is more than one `=`, as with `--params` of the CLI.

    Raises:
        UsageError: one is not NAME=VALUE.
    """
    texts = (each for given in options.param for each in (_parts(given) if given.count("=") > 1 else [given]))
    return dict(_pair("--param", text) for text in texts)


def _parts(text: str) -> list[str]:
    """The values in *text*, separated by commas; a value with a comma is in double quotes."""
    return next(iter(csv.reader([text])), [])


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            f"{option}: found `{text}`; expected NAME=VALUE. Write {option} {name or 'NAME'}=VALUE; put a value with a "
            f"comma in quotes, {option} '\"NAME=1,2\"'."
        )
    return name, value
