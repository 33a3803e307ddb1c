"""The errors that this package raises on purpose.

A message says where, what was found, what was expected and what to do next; the facts are kept as attributes.
"""

from collections.abc import Iterable

SAMPLES = 5


class ChangesError(Exception):
    """Base class of all errors of this package.

    Args:
        message: *where: found X, expected Y. Next step.*
        **facts: what a program may want to read (`table`, `column`, `counts`, ...); each becomes an attribute.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)


class ChangeArgumentsError(ChangesError):
    """Raised when the arguments of a call contradict each other, or do not fit its source."""


class ChangeSourceError(ChangesError):
    """Raised when the source of a call does not exist."""


class ChangeTargetError(ChangesError):
    """Raised when a target was made in another way than the call asks for; nothing is written."""


class ChangeEventsError(ChangesError):
    """Raised when events have no key or no sequence; nothing of the batch is applied."""


class SnapshotError(ChangesError):
    """Raised when a snapshot has a key twice, or a row without a key; nothing of it is applied."""


class TargetsFailedError(ChangesError):
    """Raised when some targets of several failed; the others were written.

    `errors` maps the target's name to its exception.
    """


def failed(errors: dict[str, BaseException], targets: int) -> TargetsFailedError:
    """One error for the *errors* of some of *targets* targets, with one line each in the errors' own words."""
    lines = [f"{target}: {_short(error)}" for target, error in errors.items()]
    head = f"{len(errors)} of {targets} targets failed, the others were written:"
    return TargetsFailedError("\n".join([head, *lines]), errors=errors)


def _short(error: BaseException) -> str:
    """The message of *error* without the Java stack trace that Spark appends."""
    return str(error).split("\nJVM stacktrace:")[0].strip() or type(error).__name__


def samples(values: Iterable[str]) -> str:
    """At most five of *values*, for a message: `a`, `b`, ... and 12 more."""
    values = list(values)
    shown = ", ".join(f"`{value}`" for value in values[:SAMPLES])
    rest = len(values) - SAMPLES
    return f"{shown} and {rest} more" if rest > 0 else shown
