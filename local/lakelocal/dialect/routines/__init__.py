"""Procedures and Python functions, which Unity Catalog stores but open-source Spark's metastore does not.

| module       | contents                                                                          |
| ------------ | --------------------------------------------------------------------------------- |
| `store`      | the folder of routines, with a file for each that has the statement that made it  |
| `signature`  | the parameters of a routine, and how the arguments of a call fit them             |
| `procedures` | CREATE PROCEDURE, and CALL, which becomes a script                                |
| `python`     | CREATE FUNCTION ... LANGUAGE PYTHON, and its calls, which become those of a UDF   |
| `describe`   | DESCRIBE FUNCTION of SQL functions                                                |
| `listing`    | the rows of `information_schema.routines`                                         |
"""
