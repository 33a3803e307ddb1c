"""Delta tables by their contracts, and what the layers remember of them between runs.

contracts    `config/tables/*.yml`: what each table promises
delta        how tables are created, written and checked against their contracts
operations   the tables of schema `ops`
progress     which versions of its sources a table has read
together     tables of one layer are made at the same time
"""
