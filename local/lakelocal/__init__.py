"""Databricks on this machine: a Spark Connect server with Delta, its dialect, and Lakeflow Jobs.

Start with `python -m local --help`. The package knows nothing of the project that it runs.
"""
