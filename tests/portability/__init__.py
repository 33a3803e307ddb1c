"""Does the code of the notebooks run in all four places, of which serverless compute is the most restrictive?

`python -m tests.portability` reads every cell and module below `notebooks/` and reports each construct that a place
refuses, because no workspace is available to report it. `rules` says what and why, `python_code` and `sql_text` find
it.
"""
