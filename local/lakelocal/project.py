"""Locations: the project's folder, and the state that local runs keep, with one folder per catalog.

    <root>/databricks.yml              the bundle
    <root>/.local/<catalog>/           everything that local runs leave behind (`LOCAL_STATE` moves `.local`)
        warehouse/ metastore/          tables and views
        warehouse.uri                  where they are, if Spark runs elsewhere
        volumes/<schema>/<volume>/     what notebooks call /Volumes/<catalog>/<schema>/<volume>/
        dbfs/                          what notebooks call dbfs:/ and /dbfs/
        catalogs/<name>/               a catalog beside the run's, with its volumes/<schema>/<volume>/ (see `catalogs`)
        routines/<catalog>/<schema>/   procedures, and functions that SQL makes in Python
        links/                         what notebooks call /Volumes
        packages/                      Python packages that tasks share (see `shared_packages`)
        pipelines/<id>/                what a declarative pipeline remembers (see `pipelines.memory`)
        runs/<run id>/  runs.db        executed notebooks, run history
        logs/  server.json             the Spark Connect server
        outbox/                        notifications of runs, one file each
    <root>/.local/.workspace/tree/     what notebooks of all catalogs call /Workspace/, since a workspace has one
    <root>/.local/.workspace/secrets.yml  secrets that clients of the workspace have put
    <root>/.local/notifications.yml    how they are sent, kept by the user; may be absent

This module only names locations; the only function that creates any is `State.make`.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from lakelocal.errors import ProjectError
from lakelocal.program import PROGRAM

BUNDLE_FILES = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml")
WORKSPACE = Path(".workspace")  # what the catalogs have in common; no name of a catalog begins with a dot
WORKSPACE_TREE = WORKSPACE / "tree"
CATALOG_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Project:
    """A folder that contains a bundle, and the folder with the state of its local runs."""

    root: Path
    states: Path

    @classmethod
    def at(cls, root: Path) -> "Project":
        """The project in *root*; its state is in `$LOCAL_STATE`, or in `.local` beside the bundle."""
        root = root.expanduser().resolve()
        if bundle_file(root) is None:
            raise ProjectError(
                f"`{root}`: found no bundle; expected one of {', '.join(BUNDLE_FILES)}. "
                "Name the bundle's folder with --project."
            )
        states = os.environ.get("LOCAL_STATE")
        return cls(root, Path(states).expanduser().resolve() if states else root / ".local")

    @property
    def workspace(self) -> Path:
        return self.states / WORKSPACE_TREE

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """The project in `$LOCAL_PROJECT`, otherwise in the nearest folder at or above *start* that has a bundle."""
        if named := os.environ.get("LOCAL_PROJECT"):
            return cls.at(Path(named))
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if bundle_file(folder):
                return cls.at(folder)
        raise ProjectError(
            f"`{start}`: found no bundle here or in a folder above; expected {BUNDLE_FILES[0]}. "
            f"Change to the project's folder, name it with --project, or create one with `{PROGRAM} init`."
        )

    def state(self, catalog: str, files: "BundleFiles | None" = None) -> "State":
        """The state of *catalog*: its own server, tables, volumes and run history."""
        if not CATALOG_NAME.fullmatch(catalog):
            raise ProjectError(
                f"`{self.root}`: found the catalog name `{catalog}`; expected letters, digits, `_` and `-`. "
                "Correct the bundle's variable that holds it."
            )
        return State(self.root, catalog, self.states / catalog, files)


@dataclass(frozen=True)
class BundleFiles:
    """The files of a bundle: in *folder* here, in *shown* in a workspace (`/Workspace/.../files`)."""

    shown: str
    folder: Path


@dataclass(frozen=True)
class State:
    """The locations of one catalog; see the docstring of this module. *files*: the bundle's, if known."""

    root: Path
    catalog: str
    folder: Path
    files: BundleFiles | None = field(default=None, compare=False)

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def warehouse_file(self) -> Path:
        return self.folder / "warehouse.uri"

    @property
    def metastore(self) -> Path:
        return self.folder / "metastore"

    @property
    def volumes(self) -> Path:
        return self.folder / "volumes"

    @property
    def dbfs(self) -> Path:
        return self.folder / "dbfs"

    @property
    def catalogs(self) -> Path:
        return self.folder / "catalogs"

    @property
    def routines(self) -> Path:
        return self.folder / "routines"

    @property
    def links(self) -> Path:
        return self.folder / "links"

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    @property
    def workspace(self) -> Path:
        return self.folder.parent / WORKSPACE_TREE

    @property
    def pipelines(self) -> Path:
        return self.folder / "pipelines"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def runs_db(self) -> Path:
        return self.folder / "runs.db"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def server_file(self) -> Path:
        return self.folder / "server.json"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def notifications_file(self) -> Path:
        return self.folder.parent / "notifications.yml"

    @property
    def secrets_file(self) -> Path:
        """`{scope: {key: value}}`, kept by the user beside the bundle and out of git."""
        return self.root / ".secrets.yml"

    @property
    def workspace_secrets(self) -> Path:
        """The same, of what clients of the workspace have put."""
        return self.folder.parent / WORKSPACE / "secrets.yml"

    def make(self) -> "State":
        """Create the folders, readable by this user only."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.warehouse, self.volumes, self.dbfs, self.runs, self.logs):
                folder.mkdir(exist_ok=True)
            self.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.folder.parent.parent == self.root:
                hide_from_git(self.folder.parent)
        except OSError as error:
            raise ProjectError(
                f"`{self.folder}`: cannot be created ({error.strerror}). "
                "Make the folder writable, or move the state with LOCAL_STATE."
            ) from error
        return self


def hide_from_git(states: Path) -> None:
    """Let git and deployments leave out *states*, which in somebody's bundle holds a token, tables and logs."""
    ignored = states / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n")


def bundle_file(folder: Path) -> Path | None:
    """The root file of the bundle in *folder*; None if there is none."""
    return next((folder / name for name in BUNDLE_FILES if (folder / name).is_file()), None)
