"""Set-up of the environments of this repository: their packages, `lakelocal` among them, and Delta's jars.

`.venv` has pyspark and runs everything on this machine; `.venv-remote` has databricks-connect, for Spark elsewhere.
Run by `make` as `python3 -m local.setup` with `local` on the path, and whatever Python is there: this package uses the
standard library only, and so do the three modules of `lakelocal` that it imports.
Each step is safe to repeat, and the stamp `.ready` is written last: an interrupted set-up heals by running again.
"""
