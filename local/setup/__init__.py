"""Set-up of the local environment `.venv`: packages, Delta's jars, and what every kernel loads.

Run by `make` as `python3 -m local.setup`, with whatever Python is there: this package uses the standard library only.
Each step is safe to repeat, and the stamp `.venv/.ready` is written last: an interrupted set-up heals by running again.
"""
