"""Which catalog a kernel works with.

Whoever starts the kernel of a task sets environment variables (`LOCAL_PROJECT`, `LOCAL_CATALOG`, `LOCAL_STATE`,
`LOCAL_FILES`). An interactive kernel finds the project at or above its working folder, and uses the catalog of its
default target.
"""

import json
import os
from pathlib import Path

from lakelocal.catalogs import Catalogs
from lakelocal.compute import REMOTE
from lakelocal.project import BundleFiles, Project, State

_FILES = "LOCAL_FILES"  # the path that the bundle's files have in a workspace, and the one that they have here


def environment_of(state: State, remote: str) -> dict[str, str]:
    """The environment variables for a kernel that is to work with *state*, and with Spark where *remote* says."""
    return {
        "LOCAL_PROJECT": str(state.root),
        "LOCAL_STATE": str(state.folder.parent),
        "LOCAL_CATALOG": state.catalog,
        _FILES: json.dumps([state.files.shown, str(state.files.folder)]) if state.files else "",
        REMOTE: remote,
    }


def find_state(start: Path) -> State:
    """The state that a kernel started in *start* uses.

    Raises:
        ProjectError: there is no project at or above *start*.
        BundleError: the bundle cannot be read, so its catalog is not known.
    """
    project = Project.find(start)
    if catalog := os.environ.get("LOCAL_CATALOG"):
        return project.state(catalog, _files())
    from lakelocal.bundle import load_settings  # not the jobs: a broken job file must not stop a notebook
    from lakelocal.lakeflow.catalogs import named_catalogs

    settings = load_settings(project, target=os.environ.get("LOCAL_TARGET"))
    state = project.state(settings.catalog, settings.files)
    for name in named_catalogs(settings):
        Catalogs(state).create(name)
    return state


def _files() -> BundleFiles | None:
    if not (told := os.environ.get(_FILES)):
        return None
    shown, folder = json.loads(told)
    return BundleFiles(shown, Path(folder))
