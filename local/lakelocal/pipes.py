"""Standard output as a pipe whose reader may stop early, as in `... | head`."""

import os
import sys


def print_line(line: str) -> None:
    """Print *line* at once; if nobody reads it any more, all further output is discarded and the work continues."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
