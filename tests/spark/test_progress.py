"""The progress of a statement reaches the kernel's output channel, as Spark Connect reports it."""

from types import SimpleNamespace
from typing import Any

from lakelocal.kernel.messages import PROGRESS
from lakelocal.kernel.progress import send_progress


def test_a_statement_that_takes_longer_than_a_report_is_told(spark) -> None:
    """Four tasks of 1.5 seconds on two cores take longer than the two seconds between reports."""
    sent: list[tuple[str, dict[str, Any], str]] = []
    kernel = SimpleNamespace(
        iopub_socket="iopub",
        get_parent=lambda: "cell",
        session=SimpleNamespace(
            send=lambda socket, message, content, parent: sent.append((message, content, f"{socket} {parent}"))
        ),
    )
    send_progress(SimpleNamespace(kernel=kernel), spark)
    try:
        spark.sql("SELECT java_method('java.lang.Thread', 'sleep', 1500 + id - id) FROM range(0, 4, 1, 4)").collect()
    finally:
        spark.clearProgressHandlers()

    assert sent and {(message, where) for message, _, where in sent} == {(PROGRESS, "iopub cell")}
    assert all(0 <= content["done"] <= content["total"] and content["total"] >= 4 for _, content, _ in sent)
