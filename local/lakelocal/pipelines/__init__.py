"""Lakeflow Spark Declarative Pipelines on this machine: one update of a pipeline, inside the kernel of its task.

    order        what the runner tells the kernel: the pipeline, its sources, what to refresh
    errors       what stops an update or a flow
    definitions  what sources define: datasets, flows, sinks and expectations, as values
    api          `import dlt` and `from pyspark import pipelines`: decorators and functions that define
    statements   the same in SQL
    loading      runs the sources, so that everything is defined before anything is read
    graph        the rules about all definitions together: names, duplicates, selection, order
    reading      which tables a plan reads, and plans put in their place
    session      evaluates queries: datasets of the pipeline stand for what they will be
    expectations rules on rows: what is counted, dropped or stops the flow, in the write itself
    memory       what a pipeline remembers from update to update: checkpoints, types, schemas
    tables       datasets as Delta tables
    flows        how each kind of flow writes
    update       an update from its sources to its result
    standalone   streaming tables and materialized views that statements make by themselves
    events       what happened, as the event log has it

Spark's own engine for pipelines is not used: it knows neither `@table` over a batch query nor `OR REFRESH`,
expectations, once flows, notebooks or change feeds on Delta, and a materialized view is empty after a failed refresh.
"""
