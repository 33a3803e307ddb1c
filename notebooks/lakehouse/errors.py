"""The errors that the notebooks raise on purpose.

A message says where, what was found, what was expected and what to do next; the facts are kept as attributes.
"""

SAMPLES = 5


class LakehouseError(Exception):
    """Base class of all errors of this package.

    Args:
        message: *where: found X, expected Y. Next step.*
        **facts: what a program may want to read (`table`, `file`, `column`, `rule`, ...); each becomes an attribute.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)


class ParameterError(LakehouseError):
    """Raised when a notebook parameter has an invalid value."""


class ContractError(LakehouseError):
    """Raised when a file of `config/tables` is not a contract, or a table differs from its contract."""


class PlaceError(LakehouseError):
    """Raised when a catalog, schema or volume is missing."""


class LandedFileError(LakehouseError):
    """Raised when landed files do not match their contract; nothing of such a file is loaded."""


class ExpectationError(LakehouseError):
    """Raised when an expectation of level FAIL does not hold."""


class VerificationError(LakehouseError):
    """Raised when the same events, delivered in another way, produced a different table.

    `seed` repeats the failure; `deliveries` are the fewest deliveries found that still differ, as (batch, row) pairs.
    """


class TablesFailedError(LakehouseError):
    """Raised when some tables of a layer failed; the others were written.

    `errors` maps the table's name to its exception.
    """


def counted(number: int, noun: str) -> str:
    """*number* with its *noun* in the singular or the plural: `1 row`, `1,204 rows`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def samples(values: list[str]) -> str:
    """At most five of *values*, for a message: `a`, `b`, ... and 12 more."""
    shown = ", ".join(f"`{value}`" for value in values[:SAMPLES])
    rest = len(values) - SAMPLES
    return f"{shown} and {rest} more" if rest > 0 else shown
