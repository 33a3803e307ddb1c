"""The values of `${bundle.git...}`, which describe the Git checkout that contains the bundle.

Source: Databricks CLI 1.13, `bundle/config/mutator/load_git_details.go`: values that the bundle or its target sets take
precedence; without a repository, a branch or an origin, the value is empty.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def git_details(root: Path, written: Mapping[str, Any], deployed: Path) -> dict[str, Any]:
    """`branch`, `commit`, `origin_url`, `actual_branch` and `bundle_root_path` of the bundle at *root*.

    *deployed* is the folder that is deployed, which takes the place of a repository where there is none.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    within = os.path.relpath(root.resolve(), Path(top).resolve() if top else deployed.resolve())
    branch = _git(root, "symbolic-ref", "--short", "HEAD")
    return {
        "branch": branch,
        "commit": _git(root, "rev-parse", "--verify", "HEAD"),
        "origin_url": _git(root, "config", "--get", "remote.origin.url"),
        "actual_branch": branch,
        "bundle_root_path": Path(within).as_posix(),
        **{name: value for name, value in written.items() if value},
    }


def _git(root: Path, *words: str) -> str:
    """The output of a git command; "" if git is not installed, fails, or does not answer in time."""
    try:
        return subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
