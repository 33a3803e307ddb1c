"""Lakeflow Spark Declarative Pipelines on this machine: one update of a pipeline, inside the kernel of its task.

    order        the order from the runner to the kernel: the pipeline, its sources, what to refresh
    errors       the errors that stop an update or a flow
    definitions  what sources define: datasets, flows, sinks and expectations, as values
    api          `import dlt` and `from pyspark import pipelines`: decorators and functions for definitions
    statements   the same in SQL
    cloud_files  the older form of read_files, as one of today
    loading      runs the sources, so that everything is defined before anything is read
    graph        the rules about all definitions together: names, duplicates, selection, order
    reading      finds the tables that a plan reads, and replaces them by plans
    session      evaluates queries, in which datasets of the pipeline stand for what they will be
    expectations rules on rows that are counted, dropped or stop the flow, within the write itself
    memory       what a pipeline remembers between updates: checkpoints, types, schemas
    tables       datasets as Delta tables
    flows        how each kind of flow writes
    update       an update from its sources to its result
    standalone   streaming tables and materialized views that are created by statements
    events       the events of an update, as in the event log

Spark's own engine for pipelines is not used: it knows neither `@table` over a batch query nor `OR REFRESH`,
expectations, once flows, notebooks or change feeds on Delta, and a materialized view is empty after a failed refresh.
"""
