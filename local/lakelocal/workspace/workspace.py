"""What all requests share: the project, the files of its workspace, its address and its user."""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from lakelocal.bundle.workspace import user_name
from lakelocal.project import Project
from lakelocal.workspace.access import Gate, token_of
from lakelocal.workspace.catalog_states import CatalogStates
from lakelocal.workspace.job_store import JobStore
from lakelocal.workspace.open_files import OpenFiles
from lakelocal.workspace.places import WorkspacePlaces, workspace_id
from lakelocal.workspace.records import Records
from lakelocal.workspace.run_numbers import RunNumbers
from lakelocal.workspace.run_starts import RunStarts
from lakelocal.workspace.secret_store import SecretStore
from lakelocal.workspace.securables import Securables
from lakelocal.workspace.spark_sessions import SparkSessions
from lakelocal.workspace.statements import Executions
from lakelocal.workspace.tree.store import WorkspaceTree
from lakelocal.workspace.volume_files import parts_of
from lakelocal.workspace.waiting import Waiting


@dataclass(frozen=True)
class Workspace:
    """The workspace of *project*, served at *url*, which does not end in a slash; *gate* lets requests in.

    *starting_update* is held while an update of a pipeline is started: two clients may ask for one at the same moment.
    """

    project: Project
    places: WorkspacePlaces
    url: str
    gate: Gate
    tree: WorkspaceTree
    starting_update: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @classmethod
    def of(cls, project: Project, url: str, hosts: Collection[str] = ()) -> "Workspace":
        """The workspace of *project*; creates its folders and its token. *hosts* are the names of this machine."""
        places = WorkspacePlaces.of(project).make()
        tree = WorkspaceTree(places.tree)
        tree.open(user_name())
        for state in CatalogStates(project).states():
            parts_of(state).clear()
        return cls(project, places, url.rstrip("/"), Gate(token_of(places.token), hosts), tree)

    @cached_property
    def jobs(self) -> JobStore:
        """The deployed jobs."""
        return JobStore(self.places.jobs_db)

    @cached_property
    def numbers(self) -> RunNumbers:
        """The runs of all catalogs."""
        return RunNumbers(self.project, self.jobs)

    @cached_property
    def starts(self) -> RunStarts:
        """Starts new runs."""
        return RunStarts(self.project, self.places, self.jobs, self.numbers.history)

    @cached_property
    def waiting(self) -> Waiting:
        """The clients that wait for changes of runs."""
        return Waiting()

    @cached_property
    def id(self) -> str:
        """The workspace's id: a number that stays the same unless the project is moved."""
        return workspace_id(self.project)

    @cached_property
    def records(self) -> Records:
        """What clients have set on objects."""
        return Records(self.places.records_db)

    @cached_property
    def sessions(self) -> SparkSessions:
        """Sessions on the Spark servers of the catalogs."""
        return SparkSessions()

    @cached_property
    def statements(self) -> Executions:
        """The SQL statements of clients."""
        return Executions(self.sessions)

    @cached_property
    def secrets(self) -> SecretStore:
        """The secrets that clients have stored."""
        return SecretStore(self.places.secrets)

    @cached_property
    def open_files(self) -> OpenFiles:
        """The files of DBFS that clients are writing."""
        return OpenFiles()

    @property
    def securables(self) -> Securables:
        """Catalogs, schemas, volumes and tables."""
        return Securables(self.catalogs, self.sessions, self.records, self.user)

    @property
    def catalogs(self) -> CatalogStates:
        """The states that contain the catalogs of the workspace."""
        return CatalogStates(self.project)

    @cached_property
    def user(self) -> str:
        """The name of the user: everyone with the token acts as this user."""
        return user_name()
