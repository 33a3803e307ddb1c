"""Where tables for people go."""

from rich.console import Console

_WIDTH = 200  # of what is no terminal, a pipe or a log: wide enough that no column is folded or cut
_AS_IT_IS = {"highlight": False, "markup": False, "emoji": False}  # `[dev ana] load` is a job's name, not a style


def console_for_people() -> Console:
    """Standard output, as wide as the terminal that it is; texts stand as they are."""
    found = Console(**_AS_IT_IS)
    return found if found.is_terminal else Console(**_AS_IT_IS, width=_WIDTH)
