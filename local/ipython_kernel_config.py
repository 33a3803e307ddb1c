# `spark`, `dbutils`, `display` and the magics of Databricks in every kernel of this environment.
c = get_config()  # noqa: F821 - IPython's
c.InteractiveShellApp.extra_extensions = ["lakelocal.kernel"]
