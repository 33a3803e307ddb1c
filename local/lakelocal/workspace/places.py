"""The files of the workspace itself, in `.workspace` beside the states of the catalogs.

    .local/.workspace/token        what clients send as `Authorization: Bearer ...`; only this user can read it
                      server.json  the running server: its address and process
                      jobs.db      deployed jobs, idempotency tokens, runs that are about to start
                      schedule.db  which firings of deployed schedules have been claimed
                      records.db   what clients have set on objects: comments, permissions, grants
                      secrets.yml  secrets that clients have stored; only this user can read it
                      tree/        what clients see as /Workspace
                      logs/        the output of runs, one file each

No catalog can have this name, since those begin with a letter, a digit or `_`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lakelocal.errors import ProjectError
from lakelocal.project import WORKSPACE, Project, hide_from_git


@dataclass(frozen=True)
class WorkspacePlaces:
    """The files of the workspace in *folder*."""

    folder: Path

    @classmethod
    def of(cls, project: Project) -> "WorkspacePlaces":
        """The files of the workspace of *project*, which need not exist."""
        return cls(project.states / WORKSPACE)

    @property
    def token(self) -> Path:
        return self.folder / "token"

    @property
    def server(self) -> Path:
        return self.folder / "server.json"

    @property
    def lock(self) -> Path:
        return self.folder / "server.lock"

    @property
    def jobs_db(self) -> Path:
        return self.folder / "jobs.db"

    @property
    def schedule_db(self) -> Path:
        return self.folder / "schedule.db"

    @property
    def records_db(self) -> Path:
        return self.folder / "records.db"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.yml"

    @property
    def tree(self) -> Path:
        """The folder that clients see as `/Workspace`."""
        return self.folder / "tree"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def log_of_run(self, catalog: str, run_id: int) -> Path:
        """The file for the output of a run's process."""
        return self.logs / f"{catalog}-run-{run_id}.log"

    def make(self) -> "WorkspacePlaces":
        """Create the folders, readable by this user only.

        Raises:
            ProjectError: they cannot be created.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
            for folder in (self.tree, self.logs):
                folder.mkdir(exist_ok=True)
            hide_from_git(self.folder.parent)  # a deployment would upload the state, and the tree in it again
        except OSError as error:
            raise ProjectError(
                f"`{self.folder}`: cannot be created ({error.strerror}). "
                "Make the folder writable, or move the state with LOCAL_STATE."
            ) from error
        return self


def workspace_id(project: Project) -> str:
    """The id of the workspace of *project*: a number that stays the same unless the project is moved."""
    digest = hashlib.sha256(str(project.root).encode()).digest()
    return str(10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14))
