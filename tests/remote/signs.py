"""A notebook that reports where it is and waits for a signal, so that the connection is lost at a known moment."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.remote.projects import Project

_WAITS = """
from pathlib import Path
import time
n = spark.range(10).count()
Path({there!r}).touch()
while not Path({go!r}).exists():
    time.sleep(0.05)
spark.range(n).count()
"""
_START_SECONDS = 300


@dataclass(frozen=True)
class Signs:
    """Two files in *folder*: one says that the notebook has got there, the other that it may continue."""

    folder: Path

    @property
    def waiting(self) -> str:
        """A cell that uses Spark before and after the signals."""
        return _WAITS.format(there=str(self.folder / "there"), go=str(self.folder / "go"))

    def run_until_lost(self, project: Project, lose: Callable[[], None], **more: str) -> tuple[dict[str, Any], float]:
        """Run the job, *lose* the connection at the first signal; return the run, and the seconds until its end."""
        with subprocess.Popen(
            project.command("run", "job", "--json"),
            env=project.environment(**more), stdout=subprocess.PIPE, text=True,
        ) as runner:  # fmt: skip
            deadline = time.monotonic() + _START_SECONDS
            while not (self.folder / "there").exists():
                assert runner.poll() is None and time.monotonic() < deadline, runner.stdout.read()
                time.sleep(0.05)
            lose()
            lost = time.monotonic()
            (self.folder / "go").touch()
            said = runner.communicate(timeout=120)[0]
            assert runner.returncode == 1
        return json.loads(said), time.monotonic() - lost
