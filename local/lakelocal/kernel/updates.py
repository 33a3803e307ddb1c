"""The update of a pipeline in the kernel of its task: what it shows is below the cells, the attempt gets its events."""

from collections.abc import Mapping
from typing import Any

from lakelocal.kernel import messages
from lakelocal.kernel.display import publish_table
from lakelocal.kernel.kernel import current_kernel
from lakelocal.kernel.table import Table
from lakelocal.lakeflow.update_progress import Event
from lakelocal.pipelines.order import UpdateOrder
from lakelocal.pipelines.update import Surroundings, Update

_NAMES = ("spark", "dbutils", "display", "displayHTML")


def update_of(order: Mapping[str, Any]) -> Update:
    """The update that *order* asks for, in the kernel of this process."""
    kernel = current_kernel()
    known = kernel.namespace_for("spark")
    names: dict[str, Any] = {name: known[name] for name in _NAMES if name in known}

    def tell(event: Event) -> None:
        messages.send(kernel.ip, messages.UPDATE, event.as_json())

    surroundings = Surroundings(kernel.ip, kernel.spark, kernel.state.pipelines, names, tell, show=_show)
    return Update(UpdateOrder.of(order), surroundings)


def _show(columns: list[tuple[str, str]], rows: list[list[object]]) -> None:
    publish_table(Table(columns, rows))
