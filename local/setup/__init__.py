"""Set-up of this repository's environments: their packages, including `lakelocal`, and Delta's jars.

`.venv` has pyspark and runs everything on this machine; `.venv-remote` has databricks-connect, for Spark elsewhere.
`make` runs it as `python3 -m local.setup` with `local` on the path, using whatever Python is there: this package only
uses the standard library, and so do the few modules of `lakelocal` that it imports.
Each step is safe to repeat, and the stamp `.ready` is written last: after an interruption, simply run set-up again.
"""
