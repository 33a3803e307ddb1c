"""`df.plot` of Spark's frames, which needs plotly: a runtime of Databricks has it, this environment may lack it."""

import importlib.util
import sys
from typing import TYPE_CHECKING

from lakelocal.imports import when_imported
from lakelocal.kernel.packages import Packages

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

_PLOTS = "pyspark.sql.plot.core"


def provide_plotly(kernel: "Kernel") -> None:
    """Let the first plot of a frame install plotly for the notebook of *kernel*, as `%pip install plotly` does."""
    when_imported(_PLOTS, lambda: _take_over(kernel))


def _take_over(kernel: "Kernel") -> None:
    module = sys.modules[_PLOTS]
    check = vars(module)["require_minimum_plotly_version"]

    def installed() -> None:
        if importlib.util.find_spec("plotly") is None:
            print("df.plot draws with plotly, which this environment lacks: it is installed for this notebook.")
            kernel.one(Packages).install(["plotly"])
        check()

    vars(module)["require_minimum_plotly_version"] = installed
