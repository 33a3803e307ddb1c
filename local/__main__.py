"""`python -m local`: the command `lakelocal`, as this repository calls it."""

from lakelocal.cli.main import run

if __name__ == "__main__":
    run()
