"""The workspace tree: the notebooks, files and folders that clients import, which kernels see as `/Workspace`.

    tree = WorkspaceTree(project.workspace)
    tree.make_folder("/Workspace/Users/ana")
    tree.write("/Workspace/Users/ana/load.py", [b"# Databricks notebook source\n1"], overwrite=False)
    tree.find("/Workspace/Users/ana/load").kind            # NOTEBOOK

The tree is a folder on the disk, and nothing else: what a kernel writes into `/Workspace` is in it, and what a client
imports is there for kernels. A notebook has no extension in its name, as on Databricks, but its file has one, by which
every notebook is found here.

| module    | what it does                                                       |
| --------- | ------------------------------------------------------------------ |
| `paths`   | reads a path of a client: no `..`, no NUL, no name that is too long |
| `objects` | tells notebooks from files, and describes an object                |
| `durable` | writes, replaces and removes files so that they survive a kill     |
| `store`   | the tree                                                           |
| `formats` | a notebook as source, as Jupyter's JSON, as a page                 |
"""
