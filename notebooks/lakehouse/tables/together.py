"""Making tables of one layer that do not depend on each other at the same time."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from lakehouse.errors import TablesFailedError
from lakehouse.tables.delta import Written

AT_ONCE = 8
_Result = TypeVar("_Result")


def run_together(work: Mapping[str, Callable[[], _Result]]) -> dict[str, _Result]:
    """Do all of *work* at the same time, like `attempt_together`; return the results by name.

    Raises:
        TablesFailedError: some of the work failed; the first failure is its cause.
    """
    results, errors = attempt_together(work)
    if errors:
        raise_failures(errors, len(work))
    return results


def attempt_together(
    work: Mapping[str, Callable[[], _Result]],
) -> tuple[dict[str, _Result], dict[str, BaseException]]:
    """Do all of *work* in threads; a failure stops nothing else.

    A result that is a `Written`, or has one as its `written`, is printed as soon as it is available.

    Args:
        work: by table name, what makes the table; it obtains the session itself, because threads inherit none.

    Returns:
        Results and failures by name, both in the order of *work*.
    """
    results: dict[str, _Result] = {}
    errors: dict[str, BaseException] = {}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        names = {pool.submit(make): name for name, make in work.items()}
        for future in as_completed(names):
            name = names[future]
            if error := future.exception():
                errors[name] = error
            else:
                results[name] = future.result()
                _tell(results[name])
    return {name: results[name] for name in work if name in results}, {n: errors[n] for n in work if n in errors}


def _tell(result: object) -> None:
    written = getattr(result, "written", result)
    if isinstance(written, Written):
        print(written)


def raise_failures(errors: dict[str, BaseException], tables: int) -> None:
    """Raise one error for the *errors* of some of *tables* tables, with one line for each.

    Raises:
        TablesFailedError: always.
    """
    lines = [f"{name}: {_short(error)}" for name, error in errors.items()]
    head = f"{len(errors)} of {tables} tables failed, the others were written:"
    raise TablesFailedError("\n".join([head, *lines]), errors=errors) from next(iter(errors.values()))


def _short(error: BaseException) -> str:
    """The message of *error* without the Java stack trace that Spark appends."""
    text = str(error).split("\nJVM stacktrace:")[0].strip()
    return text or type(error).__name__
