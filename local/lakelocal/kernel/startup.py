"""What is put into a kernel when it starts: names, magics, hooks, and the modules of Databricks' runtime."""

from typing import TYPE_CHECKING

from lakelocal.errors import LocalError
from lakelocal.kernel import failures, magics, plots, runtime
from lakelocal.kernel.kernel import Kernel

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def start(ip: "InteractiveShell") -> None:
    """Give the kernel of *ip* what a Databricks notebook has; never raises for what is missing around it."""
    kernel = Kernel(ip)
    kernel.start({**runtime.notebook_names(kernel), **runtime.contexts(kernel)})
    magics.register(kernel)
    failures.install(LocalError)
    if kernel.in_project:
        runtime.provide_modules(kernel)
        plots.provide_plotly(kernel)
