"""Standard output as a pipe whose reader may leave early, as in `... | head`."""

import os
import sys


def print_line(line: str) -> None:
    """Print *line* at once; when nobody reads any more, that and all later output goes nowhere and the work goes on."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
