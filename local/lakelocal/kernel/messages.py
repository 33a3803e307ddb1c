"""Messages of a kernel to the attempt that runs it, on its output channel; they are no output of the cell."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

PROGRESS = "lakelocal_progress"  # `done` and `total`, numbers of Spark tasks
WAITING = "lakelocal_waiting"  # `what` the cell is waiting for, such as the start of a server
UPDATE = "lakelocal_update"  # an event of an update of a pipeline, see `lakeflow.update_progress`


def send(ip: "InteractiveShell", kind: str, content: Mapping[str, Any]) -> None:
    """Send *content* as a message of *kind* that belongs to the running cell."""
    kernel = ip.kernel  # type: ignore[attr-defined]  # of a shell inside of a kernel
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
