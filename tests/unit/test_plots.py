"""`df.plot` finds plotly, or installs it for the notebook."""

import importlib.util
from types import SimpleNamespace

import plotly.graph_objects
import plotly.io
import pytest
from pyspark.sql.plot import core

from lakelocal.kernel.packages import Packages
from lakelocal.kernel.plots import leave_drawing_to_jupyterlab, provide_plotly


@pytest.mark.parametrize(("is_there", "asked"), [(True, []), (False, [["plotly"]])])
def test_plotly_is_installed_where_it_is_missing(monkeypatch, capsys, is_there, asked):
    """Only the first plot installs it, with a note; Spark then checks for it as always."""
    installed: list[list[str]] = []
    looked: list[bool] = []
    monkeypatch.setattr(core, "require_minimum_plotly_version", lambda: looked.append(True))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: is_there or None)
    kernel = SimpleNamespace(part={Packages: SimpleNamespace(install=installed.append)}.__getitem__)

    provide_plotly(kernel)
    core.require_minimum_plotly_version()

    assert (installed, looked) == (asked, [True])
    assert ("installing it for this notebook" in capsys.readouterr().out) is not is_there


def test_an_output_has_the_data_of_a_figure_and_no_script(monkeypatch):
    """JupyterLab's extension draws it; a notebook saved as HTML shows the text."""
    monkeypatch.setattr(plotly.io.renderers, "render_on_display", True)
    before = plotly.io.renderers.default
    try:
        leave_drawing_to_jupyterlab()
        bundle = plotly.graph_objects.Figure(data=[{"y": [1, 2]}])._repr_mimebundle_(None, None)
    finally:
        plotly.io.renderers.default = before

    assert bundle.keys() == {"application/vnd.plotly.v1+json", "text/plain"}
    assert "which only JupyterLab draws" in bundle["text/plain"] and len(str(bundle)) < 20_000
