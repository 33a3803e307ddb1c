"""Interactive plots: `df.plot` of Spark's frames, and figures of plotly.

A runtime of Databricks has plotly. Where the environment lacks it, the first plot installs it for the notebook. Where
the environment has it, JupyterLab draws figures with plotly's extension, so an output needs only the data of its
figure, and not the 5 MB of script with which plotly would begin each notebook; elsewhere, a text stands for the figure.
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
_TEXT = "[a figure of plotly: JupyterLab draws it; `display(df)` draws charts that are shown everywhere]"


def provide_plotly(kernel: "Kernel") -> None:
    """Let the first plot of a frame install plotly for the notebook of *kernel*, as `%pip install plotly` does."""
    when_imported(_PLOTS, lambda: _take_over(kernel))
    if (Path(sys.prefix) / _EXTENSION).is_dir() and "PLOTLY_RENDERER" not in os.environ:
        when_imported("plotly.io._renderers", leave_drawing_to_jupyterlab)


def leave_drawing_to_jupyterlab() -> None:
    """Let figures of plotly show as data for JupyterLab's extension, with a text for other places."""
    module = sys.modules["plotly.io._renderers"]
    renderers = vars(module)["renderers"]

    class Text(vars(module)["MimetypeRenderer"]):  # type: ignore[misc]  # plotly may be missing
        """The text that stands for a figure."""

        def to_mimebundle(self, fig_dict: object) -> dict[str, str]:
            return {"text/plain": _TEXT}

    renderers["text"] = Text()
    renderers.default = "plotly_mimetype+text"


def _take_over(kernel: "Kernel") -> None:
    module = sys.modules[_PLOTS]
    check = vars(module)["require_minimum_plotly_version"]

    def installed() -> None:
        if importlib.util.find_spec("plotly") is None:
            print("df.plot draws with plotly, which this environment lacks: it is installed for this notebook.")
            kernel.one(Packages).install(["plotly"])
        check()

    vars(module)["require_minimum_plotly_version"] = installed
