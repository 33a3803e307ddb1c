"""`lab`: JupyterLab on the whole project, with `spark`, `dbutils` and `display` in every notebook."""

import importlib.util
import os
import sys
from argparse import Namespace
from pathlib import Path

from lakelocal.cli.scope import project_of
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.errors import SetupError, UsageError
from lakelocal.project import Project

# No question about JupyterLab's news covers the first notebook that a newcomer opens; a user's own settings win.
SETTINGS = Path(__file__).parent / "lab_settings"


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    command = add_verb(verbs, "lab", lab, "open JupyterLab on the project: notebooks, runbooks, executed notebooks")
    command.add_argument("notebook", nargs="?", type=Path, help="open this notebook")
    command.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    command.add_argument("--port", type=int, help="listen on this port (default: the first free one from 8888)")
    command.add_argument(
        "--jupyter", action="append", default=[], metavar="OPTION",
        help="an option of `jupyter lab`, such as --jupyter=--ServerApp.ip=0.0.0.0; may be repeated",
    )  # fmt: skip


def lab(options: Namespace) -> int:
    """Become JupyterLab."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise SetupError("lab: found no JupyterLab in this environment. Install it: `pip install jupyterlab`.")
    sys.stdout.flush()
    os.execv(sys.executable, command_of(options, project_of(options)))


def command_of(options: Namespace, project: Project) -> list[str]:
    """The command line of JupyterLab.

    Raises:
        UsageError: the notebook is missing, or is outside the project.
    """
    command = [
        sys.executable, "-m", "jupyterlab",
        f"--ServerApp.root_dir={project.root}",
        "--ContentsManager.allow_hidden=True",  # .local has the executed notebooks
        f"--LabApp.app_settings_dir={SETTINGS}",
    ]  # fmt: skip
    if options.notebook:
        command.append(f"--LabApp.default_url=/lab/tree/{_inside(options.notebook, project)}")
    if options.no_browser:
        command.append("--no-browser")
    if options.port is not None:
        command.append(f"--ServerApp.port={options.port}")
    return [*command, *options.jupyter]


def _inside(notebook: Path, project: Project) -> str:
    place = notebook.resolve()
    if not place.is_file():
        raise UsageError(f"lab: found no notebook `{notebook}`. Correct its path.")
    if not place.is_relative_to(project.root):
        raise UsageError(f"lab: `{notebook}` is not in the project `{project.root}`. Open one of the project.")
    return place.relative_to(project.root).as_posix()
