"""`%sh`: shell commands on this machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable

from lakelocal.errors import DialectError

# These refer Spark to the session of this kernel, which no other process can use.
_PRIVATE = ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED")


def run_shell(text: str, *, strict: bool) -> None:
    """Run *text* with bash, or sh if there is no bash, and show its output as it comes.

    Args:
        text: Shell commands, on any number of lines.
        strict: Stop at the first command that fails, and make the cell fail, as Databricks' `%sh -e` does.

    Raises:
        DialectError: *strict* is set, and a command failed.
    """
    shell = shutil.which("bash") or "sh"
    told = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
    status = run_command([shell, *(["-e"] if strict else []), "-c", text], told)
    if status != 0 and strict:
        raise DialectError(f"`%sh -e`: the commands ended with status {status}; expected 0. Their output is above.")
    if status != 0:
        print(f"%sh: ended with status {status}")


def print_line(line: str) -> None:
    """Show *line*, which includes its line end."""
    print(line, end="", flush=True)


def run_command(command: list[str], environment: dict[str, str], tell: Callable[[str], object] = print_line) -> int:
    """Run *command*, and return its exit status. If this is interrupted, the command dies with all its children.

    Each line of its output is passed to *tell* as it comes.
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
    except BaseException:  # the cell was interrupted, so no process of it may live on
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=5)
        raise
    finally:
        process.stdout.close()
