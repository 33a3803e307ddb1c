"""Sets up a kernel when it starts: names, magics, hooks, and the modules of Databricks' runtime."""

import sys
from typing import TYPE_CHECKING

from lakelocal.errors import LocalError
from lakelocal.kernel import delta_tables, failures, functions, magics, plots, raised, runtime
from lakelocal.kernel.dbutils.notebook import end_without_traceback
from lakelocal.kernel.kernel import Kernel
from lakelocal.kernel.notebook_modules import NotebooksAreNotModules
from lakelocal.project import Project

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def start(ip: "InteractiveShell") -> None:
    """Give the kernel of *ip* what a Databricks notebook has; this never fails, even outside of a project."""
    kernel = Kernel(ip)
    kernel.start({**runtime.notebook_names(kernel), **runtime.legacy_contexts(kernel)})
    magics.register(kernel)
    failures.install(LocalError)
    raised.add_notes(ip)
    end_without_traceback(ip)
    if kernel.in_project:
        sys.meta_path.insert(0, NotebooksAreNotModules(Project.find(kernel.folder).root))
        runtime.provide_modules(kernel)
        functions.provide_functions()
        plots.provide_plotly(kernel)
        delta_tables.find_out_at_once()
        if kernel.context is None:  # nobody types in the notebook of a task
            from lakelocal.kernel import completion

            completion.install(kernel)
