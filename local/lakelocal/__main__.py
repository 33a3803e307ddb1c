"""`python -m lakelocal`: the command `lakelocal`."""

from lakelocal.cli.main import run

if __name__ == "__main__":
    run()
