"""Small bundles that run elsewhere: what the tests of remote runs call."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Project:
    """A small bundle, run by the Python of one environment against *remote*."""

    root: Path
    states: Path
    python: str
    remote: str

    def command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", "lakelocal", "--project", str(self.root), *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        own = {"LOCAL_STATE": str(self.states), "LOCAL_REMOTE": self.remote, "HOME": str(self.states)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "LOCAL_"))}
        return {**kept, **own, **more}

    def __call__(self, *arguments: str, limit: float = 120, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT, env=self.environment(**more), capture_output=True, text=True, timeout=limit,
        )  # fmt: skip

    def run(self, *arguments: str, **more: str) -> dict[str, Any]:
        """The output of `run job` or another verb for the run; how it ended is up to the caller."""
        done = self(*(arguments or ("run", "job")), "--json", **more)
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        return json.loads(done.stdout)

    def recorded(self) -> dict[str, Any]:
        """The newest run, from the history."""
        (run, *_) = json.loads(self("runs", "list", "--json").stdout)
        return run


Build = Callable[..., Project]
