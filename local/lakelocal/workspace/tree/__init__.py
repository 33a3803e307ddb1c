"""The workspace tree: the notebooks, files and folders that clients import, which kernels see as `/Workspace`.

    tree = WorkspaceTree(project.workspace)
    tree.make_folder("/Workspace/Users/ana")
    tree.write("/Workspace/Users/ana/load.py", [b"# Databricks notebook source\n1"], overwrite=False)
    tree.find("/Workspace/Users/ana/load").kind            # NOTEBOOK

The tree is just a folder on the disk: whatever a kernel writes into `/Workspace` is in it, and kernels see whatever a
client imports. As on Databricks, the name of a notebook has no extension; but its file has one, which marks it as a
notebook.

| module    | what it does                                                       |
| --------- | ------------------------------------------------------------------ |
| `paths`   | checks the path of a client: no `..`, no NUL, no name too long     |
| `objects` | distinguishes notebooks from files, and describes an object        |
| `durable` | writes, replaces and removes files so that they survive a kill     |
| `store`   | the tree                                                           |
| `formats` | converts a notebook to source, Jupyter's JSON, or a page           |
"""
