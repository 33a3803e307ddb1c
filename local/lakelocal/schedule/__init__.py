"""Scheduling the jobs of a bundle as Databricks does, by the clock of this machine.

    Schedule("0 30 2 * * ?", "Europe/Berlin").next_after(now)     # Quartz expressions
    jobs = scheduled_jobs(bundle)                                 # the jobs with a trigger, checked
    firings(jobs, start=now, after=now); decide(firing, active=1)
    simulate(jobs, assumed, start=now, until=later)
    Scheduler(jobs, clock=SystemClock(), doing=...).run()

Syntax (`fields`), times (`quartz`), triggers (`triggers`), planning (`plan`, `simulation`: pure) and execution
(`scheduler`, `claims`, `starting`, `history`, `views`) are kept apart.
"""

from lakelocal.schedule.plan import Decision, Firing, Outcome, decide, firings
from lakelocal.schedule.quartz import Schedule
from lakelocal.schedule.simulation import Assumption, Simulated, simulate
from lakelocal.schedule.triggers import ScheduledJob, scheduled_jobs
from lakelocal.schedule.zones import clock_changes

__all__ = [
    "Assumption",
    "Decision",
    "Firing",
    "Outcome",
    "Schedule",
    "ScheduledJob",
    "Simulated",
    "clock_changes",
    "decide",
    "firings",
    "scheduled_jobs",
    "simulate",
]
