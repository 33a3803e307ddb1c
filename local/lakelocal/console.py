"""The console for tables that people read."""

from rich.console import Console

_WIDTH = 200  # for what is not a terminal, such as a pipe or a log: wide enough that no column is wrapped or cut


def console_for_people() -> Console:
    """Standard output, as wide as the terminal; texts are printed unchanged."""
    found = _console()
    return found if found.is_terminal else _console(_WIDTH)


def _console(width: int | None = None) -> Console:
    # `[dev ana] load` is a job's name, not a style
    return Console(highlight=False, markup=False, emoji=False, width=width)
