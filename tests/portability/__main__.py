"""Report every refused construct below `notebooks/`, of this project or of the given folder; exits with 1 for any."""

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.portability.code import Code, read_code
from tests.portability.python_code import find_in_python
from tests.portability.rules import RULES


def told(codes: Iterable[Code]) -> list[str]:
    """One line for each refused construct: where, what, why, what instead."""
    return [
        f"{code.place(line)}: found `{construct}`; {RULES[name].reason}. Instead: {RULES[name].instead}. "
        f"[{name}; {RULES[name].source}]"
        for code in codes
        for name, line, construct in find_in_python(code.text)
    ]


if __name__ == "__main__":
    read = list(read_code(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[2]))
    findings = told(read)
    print(*findings, sep="\n", end="\n" if findings else "")
    print(f"{len(findings)} constructs that a place refuses in {len(read)} cells and modules, by {len(RULES)} rules")
    sys.exit(bool(findings))
