"""Databricks on this machine: a Spark Connect server with Delta, its dialect, and Lakeflow Jobs.

Start with `python -m lakelocal --help`. The package knows nothing about the project that it runs.
"""
