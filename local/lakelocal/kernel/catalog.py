"""Which catalog a kernel works with, as its starter says and as the kernel finds it.

The kernel of a task is told by its environment (`LOCAL_PROJECT`, `LOCAL_CATALOG`, `LOCAL_STATE`). An interactive
kernel finds the project at or above its working folder and takes the catalog of the bundle's default target.
"""

import os
from pathlib import Path

from lakelocal.catalogs import Catalogs
from lakelocal.compute import REMOTE
from lakelocal.project import Project, State


def environment_of(state: State, remote: str) -> dict[str, str]:
    """The environment of a kernel that shall work with *state*, Spark running where *remote* says."""
    return {
        "LOCAL_PROJECT": str(state.root),
        "LOCAL_STATE": str(state.folder.parent),
        "LOCAL_CATALOG": state.catalog,
        REMOTE: remote,
    }


def find_state(start: Path) -> State:
    """The state that a kernel started in *start* uses.

    Raises:
        ProjectError: no project at or above *start*.
        BundleError: the bundle cannot be read, so that its catalog is not known.
    """
    project = Project.find(start)
    if catalog := os.environ.get("LOCAL_CATALOG"):
        return project.state(catalog)
    from lakelocal.bundle import load_settings  # not the jobs: a broken job file must not stop a notebook
    from lakelocal.lakeflow.catalogs import named_catalogs

    settings = load_settings(project, target=os.environ.get("LOCAL_TARGET"))
    state = project.state(settings.catalog)
    for name in named_catalogs(settings):
        Catalogs(state).create(name)
    return state
