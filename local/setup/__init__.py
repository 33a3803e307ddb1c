"""Set-up of the environments: packages, Delta's jars, and what every kernel loads.

`.venv` has pyspark and runs everything on this machine; `.venv-remote` has databricks-connect, for Spark elsewhere.
Run by `make` as `python3 -m local.setup`, with whatever Python is there: this package uses the standard library only.
Each step is safe to repeat, and the stamp `.ready` is written last: an interrupted set-up heals by running again.
"""
