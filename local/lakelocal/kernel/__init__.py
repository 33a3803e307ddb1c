"""What every local kernel has: `spark`, `dbutils`, `display`, the magics and the modules of Databricks' notebooks.

This package is an IPython extension. Set-up names it in the environment's own IPython configuration
(`.venv/etc/ipython/ipython_kernel_config.py`), so that papermill, nbval, JupyterLab and VS Code all load it, and a
user's own profile stays as it is. It prints nothing, starts nothing, and imports Spark only when a notebook uses it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(ip: "InteractiveShell") -> None:
    """Give the kernel of *ip* what a Databricks notebook has; called by IPython when the kernel starts."""
    from lakelocal.kernel.startup import start

    start(ip)
