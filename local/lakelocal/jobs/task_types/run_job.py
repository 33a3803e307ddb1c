"""`run_job_task`: a run of another job, whose result decides that of the task."""

from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.parameters import child_parameters
from lakelocal.lakeflow.results import meaning


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Run the job to its end."""
    assert attempt.task.child is not None, "checked when the bundle was read"
    job = attempt.owner.engine.bundle.job(attempt.task.child)
    own = attempt.resolved(attempt.task.parameters, "job_parameters")
    parameters = child_parameters(job, {name: str(value) for name, value in own.items()}, attempt.run.parameters)
    child = attempt.run.child(job, parameters, attempt.owner.path)
    attempt.record(child_run_id=child.run_id, parameters=parameters)
    result = child.execute(stop)
    if stop.reason is not None:
        return Outcome(stop.reason)
    if meaning(result).succeeded:
        return Outcome("SUCCESS")
    return Outcome("FAILED", f"Run {child.run_id} of job `{job.key}` ended with {result}.")
