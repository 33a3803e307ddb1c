"""Interactive plots: `df.plot` of Spark DataFrames, and Plotly figures.

Databricks' runtimes have Plotly. If the environment lacks it, the first plot installs it for the notebook. If it has
it, JupyterLab draws figures with Plotly's extension, so that an output needs only the data of its figure, and not the 5
MB of script that Plotly would put into each notebook; everywhere else, a text takes the place of the figure.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.imports import when_imported
from lakelocal.kernel.packages import Packages

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

_PLOTS = "pyspark.sql.plot.core"
_EXTENSION = Path("share/jupyter/labextensions/jupyterlab-plotly")
_TEXT = "[a Plotly figure, which only JupyterLab draws; the charts of `display(df)` are shown everywhere]"


def provide_plotly(kernel: "Kernel") -> None:
    """Let the first plot of a frame install Plotly for the notebook of *kernel*, as `%pip install plotly` does."""
    when_imported(_PLOTS, lambda: _install_plotly_when_missing(kernel))
    if (Path(sys.prefix) / _EXTENSION).is_dir() and "PLOTLY_RENDERER" not in os.environ:
        when_imported("plotly.io._renderers", leave_drawing_to_jupyterlab)


def leave_drawing_to_jupyterlab() -> None:
    """Let Plotly output figures as data for JupyterLab's extension, with a text for other programs."""
    module = sys.modules["plotly.io._renderers"]
    renderers = vars(module)["renderers"]

    class Text(vars(module)["MimetypeRenderer"]):  # type: ignore[misc]  # plotly may be missing
        """Outputs a text in place of a figure."""

        def to_mimebundle(self, fig_dict: object) -> dict[str, str]:
            return {"text/plain": _TEXT}

    renderers["text"] = Text()
    renderers.default = "plotly_mimetype+text"


def _install_plotly_when_missing(kernel: "Kernel") -> None:
    module = sys.modules[_PLOTS]
    check = vars(module)["require_minimum_plotly_version"]

    def installed() -> None:
        if importlib.util.find_spec("plotly") is None:
            print("df.plot needs plotly, which this environment lacks; installing it for this notebook.")
            kernel.part(Packages).install(["plotly"])
        check()

    vars(module)["require_minimum_plotly_version"] = installed
