"""How far Spark is with the statement of the running cell, sent to the attempt that shows it to a person.

Spark Connect reports it every two seconds with the answer to a statement, so nothing more is asked of the server. It
goes as a message of its own on the kernel's output channel, so that it is no output of the cell.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql.connect.session import SparkSession
    from pyspark.sql.connect.shell.progress import StageInfo

MESSAGE = "lakelocal_progress"  # its content: `done` and `total`, numbers of Spark tasks


def send_progress(ip: "InteractiveShell", spark: "SparkSession") -> None:
    """Send the progress of each statement of *spark* from now on."""
    from pyspark.sql.connect.shell.progress import ProgressHandler  # the attempt reads this module without Spark

    class Sender(ProgressHandler):
        """Sends the sums over all stages of a statement that goes on."""

        def __call__(
            self, stages: "Iterable[StageInfo] | None", inflight_tasks: int, operation_id: str | None, done: bool
        ) -> None:
            known = list(stages or ())
            total = sum(stage.num_tasks for stage in known)
            if total and not done:
                content = {"done": sum(stage.num_completed_tasks for stage in known), "total": total}
                kernel = ip.kernel  # type: ignore[attr-defined]  # of a shell inside of a kernel
                kernel.session.send(kernel.iopub_socket, MESSAGE, content, parent=kernel.get_parent())

    spark.registerProgressHandler(Sender())
