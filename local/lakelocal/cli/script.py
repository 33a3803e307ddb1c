"""A script of the bundle, run like `databricks bundle run SCRIPT`: in the bundle's folder, by bash or sh."""

import os
import shutil
import subprocess

from lakelocal.bundle.targets import FROM_ENVIRONMENT
from lakelocal.errors import SetupError
from lakelocal.lakeflow.model import Bundle, Script


def run_script(bundle: Bundle, script: Script) -> int:
    """Run *script* to its end and return its exit code.

    Raises:
        SetupError: this machine has no shell.
    """
    shell = shutil.which("bash") or shutil.which("sh")
    if shell is None:
        raise SetupError(f"script `{script.name}`: found no shell; expected `bash` or `sh`. Install one of them.")
    environment = {**os.environ, FROM_ENVIRONMENT[0]: bundle.target, **script.env}
    return subprocess.run([shell, "-ec", script.content], cwd=bundle.root, env=environment, check=False).returncode
