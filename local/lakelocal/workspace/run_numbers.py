"""Unique numbers for the runs of all catalogs: each state counts its own runs from 1, but clients see all runs.

The number of a run or of an attempt is its id in its state, plus the number of the state times `SPAN`. The first state
that the workspace sees has the number 0, so that its runs have the numbers that `runs list` shows; states keep their
numbers. All numbers are exact in JavaScript, whose integers have 53 bits.
"""

from dataclasses import dataclass
from functools import cached_property

from lakelocal.history.records import Records
from lakelocal.project import CATALOG_NAME, Project, State
from lakelocal.workspace.errors import ApiError, not_there
from lakelocal.workspace.job_store import JobStore

SPAN = 10**12


@dataclass(frozen=True)
class NumberedRun:
    """A run of *state*, in its history *records*, with the id *run_id* there.

    *attempt_id* is the id of one of its attempts, if the number was that of an attempt.
    """

    state: State
    records: Records
    offset: int
    run_id: int
    attempt_id: int | None = None

    @property
    def number(self) -> int:
        """The number by which clients know the run."""
        return self.offset + self.run_id


@dataclass(frozen=True)
class RunNumbers:
    """The numbers of all runs of *project*; *jobs* stores the numbers of the states."""

    project: Project
    jobs: JobStore

    def states(self) -> list[tuple[State, int]]:
        """The states with runs, each with the offset of its numbers."""
        found = sorted(place.parent.name for place in self.project.states.glob("*/runs.db"))
        names = [name for name in found if CATALOG_NAME.fullmatch(name)]
        if unknown := [name for name in names if name not in self._known]:
            self._known.update(self.jobs.state_numbers(unknown))
        return [(self.project.state(name), self._known[name] * SPAN) for name in names]

    def history(self, state: State) -> Records:
        """The history of *state*."""
        if state.catalog not in self._histories:
            records = Records.of(state)
            records.stay_open()
            self._histories[state.catalog] = records
        return self._histories[state.catalog]

    def offset(self, catalog: str) -> int:
        """The offset of the numbers of *catalog*, which may not have any run yet."""
        if catalog not in self._known:
            self._known.update(self.jobs.state_numbers([catalog]))
        return self._known[catalog] * SPAN

    def find(self, number: int) -> NumberedRun:
        """The run with this *number*, or the run of the attempt with this number.

        Raises:
            ApiError: there is none.
        """
        span, local = divmod(number, SPAN)
        if state := self._state_of(span):
            history, offset = self.history(state), span * SPAN
            if history.has_run(local):
                return NumberedRun(state, history, offset, local)
            if (run_id := history.run_of_attempt(local)) is not None:
                return NumberedRun(state, history, offset, run_id, local)
        raise not_there(f"Run {number} does not exist.")

    def _state_of(self, span: int) -> State | None:
        """The state with the number *span*; None if there is none, or none with runs."""
        if span not in self._known.values():
            self.states()  # one whose first run another program has recorded gets its number
        for catalog, number in self._known.items():
            if number == span and (state := self.project.state(catalog)).runs_db.is_file():
                return state
        return None

    def find_run(self, number: int) -> NumberedRun:
        """The run with this *number*.

        Raises:
            ApiError: there is none, or the number is that of a task.
        """
        found = self.find(number)
        if found.attempt_id is not None:
            text = f"Run {number} is the run of a task; expected that of its job: {found.number}."
            raise ApiError("INVALID_PARAMETER_VALUE", text)
        return found

    @cached_property
    def _histories(self) -> dict[str, Records]:
        return {}

    @cached_property
    def _known(self) -> dict[str, int]:
        return self.jobs.state_numbers([])
