"""One call of the command line."""

import sys

from lakelocal.cli.parser import read_arguments
from lakelocal.errors import LocalError


def run() -> None:
    """The command `lakelocal`: one call, which ends the process."""
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 for success, 1 if the work failed, 2 for wrong usage, 130 after Ctrl-C."""
    options = read_arguments(arguments)
    try:
        code: int = options.command(options)
        return code
    except LocalError as error:
        _tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the pipe has stopped reading
        sys.stderr.close()
        return 0


def _tell(error: LocalError) -> None:
    """Print *error*; in a terminal, its lines end between words."""
    from rich.console import Console  # few commands fail

    from lakelocal.console import paragraph

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    for line in f"error: {error}".split("\n"):
        console.print(paragraph(line, console), soft_wrap=True)
