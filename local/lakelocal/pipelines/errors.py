"""The errors that stop an update of a pipeline, or one of its flows."""

from lakelocal.errors import LocalError
from lakelocal.spark_errors.messages import in_plain_words, is_spark_error


class PipelineError(LocalError):
    """Raised when an update cannot continue, since its sources are wrong or a flow has failed."""


class DefinitionError(PipelineError):
    """Raised when a source defines something that is not possible, or does not run on this machine."""


class AnalysisError(PipelineError):
    """Raised when the queries of a pipeline do not fit together; nothing has been written."""


class UnresolvedError(Exception):
    """Raised inside a query that reads a dataset which is not resolved yet; the query is evaluated again later.

    *reading* is the key of that dataset.
    """

    def __init__(self, reading: tuple[str, ...]) -> None:
        super().__init__(".".join(part for part in reading if part))
        self.reading = reading


def said(error: BaseException) -> str:
    """The message of *error*, and its class unless the message says enough without it."""
    text = str(error)
    if isinstance(error, LocalError):
        return text
    return in_plain_words(text) if is_spark_error(text) else f"{type(error).__name__}: {in_plain_words(text)}"


def outside_of_a_query(name: str) -> DefinitionError:
    """The error for a dataset of the pipeline that is read while the sources are loaded, as Databricks words it."""
    return DefinitionError(
        f"[REFERENCE_DLT_DATASET_OUTSIDE_QUERY_DEFINITION] Referencing pipeline dataset `{name}` outside the dataset "
        "query definition (i.e., `@dlt.table` annotation) is not supported. Please read it inside the dataset query "
        "definition."
    )
