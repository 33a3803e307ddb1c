"""Sends the progress of the running cell's statement to the attempt, which shows it to a person.

Spark Connect reports the progress every two seconds with the response to a statement, so this takes no further request.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lakelocal.kernel import messages

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql.connect.session import SparkSession
    from pyspark.sql.connect.shell.progress import StageInfo


def send_progress(ip: "InteractiveShell", spark: "SparkSession") -> None:
    """Send the progress of each statement of *spark* from now on."""
    from pyspark.sql.connect.shell.progress import ProgressHandler  # late: not every kernel needs Spark

    class Sender(ProgressHandler):
        """Sends the sums over all stages of a running statement."""

        def __call__(
            self, stages: "Iterable[StageInfo] | None", inflight_tasks: int, operation_id: str | None, done: bool
        ) -> None:
            known = list(stages or ())
            total = sum(stage.num_tasks for stage in known)
            if total and not done:
                content = {"done": sum(stage.num_completed_tasks for stage in known), "total": total}
                messages.send(ip, messages.PROGRESS, content)

    spark.registerProgressHandler(Sender())
