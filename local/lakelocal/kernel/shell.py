"""`%sh`: shell commands on this machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable

from lakelocal.errors import DialectError

# They point Spark at a session of this kernel, which no other process can have.
_PRIVATE = ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED")


def run_shell(text: str, *, strict: bool) -> None:
    """Run *text* with bash (sh where there is none), its output shown as it comes.

    Args:
        text: shell commands, any number of lines.
        strict: stop at the first failing command and fail the cell, as Databricks' `%sh -e`.

    Raises:
        DialectError: *strict*, and a command failed.
    """
    shell = shutil.which("bash") or "sh"
    told = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
    status = run_command([shell, *(["-e"] if strict else []), "-c", text], told)
    if status != 0 and strict:
        raise DialectError(f"`%sh -e`: the commands ended with status {status}; expected 0. Their output is above.")
    if status != 0:
        print(f"%sh: ended with status {status}")


def print_line(line: str) -> None:
    """Show *line*, which has its end."""
    print(line, end="", flush=True)


def run_command(command: list[str], environment: dict[str, str], tell: Callable[[str], object] = print_line) -> int:
    """Run *command*; its exit status. Interrupted, it dies with all its children.

    *tell* is given each line of its output as it comes.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout is not None  # it is a pipe
    try:
        for line in process.stdout:
            tell(line)
        return process.wait()
    except BaseException:  # the cell was interrupted: nothing of it may live on
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=5)
        raise
    finally:
        process.stdout.close()
