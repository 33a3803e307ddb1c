"""The console for tables that people read."""

import textwrap

from rich.console import Console
from rich.text import Text

_WIDTH = 200  # for what is not a terminal, such as a pipe or a log: wide enough that no column is wrapped or cut


def console_for_people() -> Console:
    """Standard output, as wide as the terminal; texts are printed unchanged."""
    found = _console()
    return found if found.is_terminal else _console(_WIDTH)


def paragraph(text: str, console: Console, label: str = "") -> Text:
    """*text* behind its *label*; in a terminal, lines end between words, otherwise it is one line."""
    if not console.is_terminal:
        return Text(f"{label}{text}")
    width = max(1, console.width - len(label))
    lines = textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)
    return Text(label + f"\n{' ' * len(label)}".join(lines))


def _console(width: int | None = None) -> Console:
    # `[dev ana] load` is a job's name, not a style
    return Console(highlight=False, markup=False, emoji=False, width=width)
