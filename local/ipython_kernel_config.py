# `spark`, `dbutils`, `display` and the magics of Databricks in every kernel of this environment.
from lakelocal.roots.enter import prepare_interactive

c = get_config()  # noqa: F821 - IPython's
c.InteractiveShellApp.extra_extensions = ["lakelocal.kernel"]
prepare_interactive()  # here, since a kernel has threads a moment later
