"""The package needs pyspark and nothing else: its folder can be copied beside any notebook."""

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "notebooks" / "lakehouse" / "cdc"
PROGRAM = """
import sys
import changes
names = sorted(name for name in changes.__all__ if callable(getattr(changes, name)))
assert not [name for name in sys.modules if name.split(".")[0] in ("lakehouse", "local", "yaml")], sys.modules
print(names)
"""


def test_a_copy_of_the_folder_is_imported_by_itself(tmp_path):
    """Under any name, in an interpreter that sees that folder and the installed packages alone."""
    shutil.copytree(PACKAGE, tmp_path / "changes", ignore=shutil.ignore_patterns("__pycache__"))

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={"PYTHONSAFEPATH": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "'apply_changes', 'apply_changes_from_snapshot', 'apply_together'" in done.stdout
