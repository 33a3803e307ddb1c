"""Does the code of the notebooks run in all four places, serverless compute the narrowest of them?

`python -m tests.portability` reads every cell and module below `notebooks/` and tells each construct that a place
refuses, since no workspace is at hand to complain. `rules` says what and why, `python_code` and `sql_text` find it.
"""
