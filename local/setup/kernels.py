"""What every kernel of `.venv` loads: the IPython extension `local.kernel`.

IPython reads `<prefix>/etc/ipython` whoever starts the kernel (papermill, nbval, JupyterLab, VS Code),
and before the user's own profile, which stays as it is.
"""

from pathlib import Path

CONFIGURATION = """\
# Written by set-up: `spark`, `dbutils`, `display` and the Databricks magics in every kernel of this environment.
c = get_config()
c.InteractiveShellApp.extra_extensions = ["local.kernel"]
"""


def make(root: Path, venv: Path) -> None:
    """Make `local` importable in *venv* and have its kernels load the extension."""
    for library in (venv / "lib").glob("python3.*"):
        (library / "site-packages" / "olist_lakehouse_local.pth").write_text(f"{root}\n")
    folder = venv / "etc" / "ipython"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ipython_kernel_config.py").write_text(CONFIGURATION)
