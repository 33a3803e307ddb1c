"""`python -m local`: the command `lakelocal`, as this repository calls it."""

import sys
from importlib.util import find_spec

if __name__ == "__main__":
    if find_spec("lakelocal") is None:
        sys.exit(
            f"error: found no package `lakelocal` for {sys.executable}; expected the environment that `make setup` "
            "makes. Write `.venv/bin/python -m local ...`."
        )
    from lakelocal.cli.main import run

    run()
