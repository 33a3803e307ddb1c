"""Procedures, and functions in Python, which Unity Catalog keeps and open-source Spark's metastore does not.

| module       | what it knows                                                                     |
| ------------ | --------------------------------------------------------------------------------- |
| `store`      | the folder that has them, a file each, with the statement that made it            |
| `signature`  | the parameters of a routine, and how a call's arguments fit them                  |
| `procedures` | CREATE PROCEDURE, and CALL, which becomes a script                                |
| `python`     | CREATE FUNCTION ... LANGUAGE PYTHON, and its calls, which become those of a UDF   |
"""
