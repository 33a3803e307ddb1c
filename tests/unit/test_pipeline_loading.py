"""How the sources of a pipeline are run, without Spark."""

import os
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from lakelocal.pipelines.api import Recorder
from lakelocal.pipelines.definitions import Defaults, Definitions
from lakelocal.pipelines.loading import Loader
from lakelocal.pipelines.order import UpdateOrder


def test_a_source_runs_in_its_folder(tmp_path: Path) -> None:
    """As notebooks and files do on Databricks: public pipelines find their modules from there."""
    sources = [tmp_path / "bronze/a.py", tmp_path / "silver/b.py"]
    for source in sources:
        source.parent.mkdir()
        source.write_text("# Databricks notebook source\nimport os\nseen.append(os.getcwd())\n")
    order = UpdateOrder("id", "p", "main", "default", tuple(map(str, sources)))
    recorder = Recorder(Definitions(Defaults("main", "default")), lambda name, streaming: None)
    seen: list[str] = []
    before = os.getcwd()

    Loader(InteractiveShell.instance(), order, recorder, lambda text: None, {"seen": seen}).load()

    assert seen == [str(source.parent) for source in sources]
    assert os.getcwd() == before
