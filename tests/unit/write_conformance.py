"""Write local/CONFORMANCE.md, the rules of Lakeflow Jobs and their tests: `python tests/unit/write_conformance.py`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "local" / "CONFORMANCE.md"

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # the tables name classes of `local`
    from conformance.document import document

    FILE.write_text(document(), encoding="utf-8")
