"""`make verify-cdc`: run runbooks/T20_verify_cdc on the local tables and print its output; 1 on a difference."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import papermill
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError
from traitlets import default

from lakelocal.bundle import load_settings
from lakelocal.project import Project
from lakelocal.waiting import waiting

ROOT = Path(__file__).resolve().parents[1]
RUNBOOK = ROOT / "runbooks" / "T20_verify_cdc.ipynb"


class OverSockets(AsyncKernelManager):
    """Starts the kernel on Unix sockets, which no other user can reach; ipykernel warns of anything else."""

    @default("transport")
    def _on_this_machine(self) -> str:
        return "ipc"


def main() -> int:
    """Return the exit code: 0 if all tables are equal, 1 on the first difference or if the runbook cannot run."""
    parser = argparse.ArgumentParser(prog="make verify-cdc", description=__doc__)
    parser.add_argument("--target", default="dev", help="target of the bundle")
    parser.add_argument("--feed", default="", help="arguments of another apply_changes, as JSON or in a JSON file")
    parser.add_argument("--rounds", type=int, default=3, help="how many other orders to try")
    parser.add_argument("--batches", type=int, default=4, help="into how many the events are split")
    parser.add_argument("--seed", type=int, default=0, help="of the first order; 0 takes one from the clock")
    options = vars(parser.parse_args())
    target = options.pop("target")
    if options["feed"].endswith(".json"):
        if not Path(options["feed"]).is_file():
            parser.error(f"--feed: found no file `{options['feed']}`; expected the arguments of a call, as JSON")
        options["feed"] = Path(options["feed"]).read_text(encoding="utf-8")
    os.environ["LOCAL_TARGET"] = target
    catalog = load_settings(Project.at(ROOT), target=target).catalog
    with tempfile.TemporaryDirectory(prefix="verify-cdc-") as scratch, waiting("verifying") as wait:
        try:
            papermill.execute_notebook(
                str(RUNBOOK), str(Path(scratch) / RUNBOOK.name), parameters={"catalog": catalog, **options},
                cwd=str(RUNBOOK.parent), kernel_name="python3", progress_bar=False,
                stdout_file=SimpleNamespace(write=wait.print, flush=lambda: None),
                kernel_manager_class=OverSockets,
            )  # fmt: skip
        except PapermillExecutionError as error:
            print(f"\n{error.ename}: {error.evalue}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
