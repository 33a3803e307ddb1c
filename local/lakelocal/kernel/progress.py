"""Sends the progress of the running cell's statement to the attempt, which shows it to a person.

Spark Connect reports the progress every two seconds with the response to a statement, so this takes no further request.
It is sent as a message of its own on the kernel's output channel, so that it does not become an output of the cell.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql.connect.session import SparkSession
    from pyspark.sql.connect.shell.progress import StageInfo

MESSAGE = "lakelocal_progress"  # the type of the message; its content has `done` and `total`, numbers of Spark tasks


def send_progress(ip: "InteractiveShell", spark: "SparkSession") -> None:
    """Send the progress of each statement of *spark* from now on."""
    from pyspark.sql.connect.shell.progress import ProgressHandler  # late: the attempt imports this without Spark

    class Sender(ProgressHandler):
        """Sends the sums over all stages of a running statement."""

        def __call__(
            self, stages: "Iterable[StageInfo] | None", inflight_tasks: int, operation_id: str | None, done: bool
        ) -> None:
            known = list(stages or ())
            total = sum(stage.num_tasks for stage in known)
            if total and not done:
                content = {"done": sum(stage.num_completed_tasks for stage in known), "total": total}
                kernel = ip.kernel  # type: ignore[attr-defined]  # which a shell inside a kernel has
                kernel.session.send(kernel.iopub_socket, MESSAGE, content, parent=kernel.get_parent())

    spark.registerProgressHandler(Sender())
