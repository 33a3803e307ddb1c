"""What a run needs before its first task: Spark, the Unity Catalog objects of its bundle, a notebook that sets up."""

from lakelocal.jobs.notebooks_beside import run_first
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.securables import create_catalogs, create_named_schemas, create_securables
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.catalogs import named_catalogs, named_schemas


def prepare(run: JobRun, stop: Stop) -> None:
    """Prepare all of that once, so that a problem is reported in one line and not by every task after its retries.

    Raises:
        LocalError: something is not available; no task has run.
    """
    engine = run.engine
    if engine.needs_spark:
        engine.view.preparing("preparing Spark, catalogs and schemas")
        try:
            engine.compute.check()
        finally:
            engine.records.update_run(run.run_id, remote=engine.compute.label or None)  # the label is complete only now
    bundle = engine.bundle
    jobs, pipelines = bundle.jobs.values(), bundle.pipelines.values()
    named = named_catalogs(bundle, bundle.securables, jobs, run.scope.parameters, pipelines)
    create_catalogs(named, engine.compute)
    create_securables(engine.bundle, engine.compute, engine.view.note)
    if engine.needs_spark:
        create_named_schemas(named_schemas(engine.bundle, run.scope.parameters), engine.compute, engine.view.note)
    if run.before is not None:
        run_first(run, run.before, stop)
