"""The secrets that clients of the workspace have stored, in a file that only this user can read."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from lakelocal.kernel.dbutils.secrets import read_secrets
from lakelocal.workspace.tree.durable import sync_file, sync_folder

Secrets: TypeAlias = dict[str, dict[str, Any]]
"""The keys and values of each scope."""


class SecretStore:
    """The secrets in the file *place*; each change rewrites the whole file, one change at a time."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._changing = threading.Lock()

    def change(self, by: Callable[[Secrets], object]) -> None:
        """Let *by* change the stored secrets; they are on the disk when this returns."""
        with self._changing:
            kept = read_secrets(self._place)
            by(kept)
            part = self._place.with_suffix(".part")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(yaml.safe_dump(kept, allow_unicode=True).encode())
                sync_file(file)
            part.replace(self._place)
            sync_folder(self._place.parent)
